/** What a running answer is doing, in a few words. */

import type { Connection } from "../run/feed";
import { routeLabel } from "../run/route";
import { type Trace, toolState } from "../run/trace";

export function activityOf(trace: Trace, connection: Connection): string {
  if (connection === "waiting") return "Connection lost; trying again. The answer goes on meanwhile.";
  if (trace.content) return "Writing";
  const last = trace.timeline.at(-1);
  if (!last) {
    if (trace.routed) return `Starting ${routeLabel(trace.routed.route)}`;
    return trace.assessed ? "Choosing a route" : "Looking at the question";
  }
  switch (last.kind) {
    case "step":
      return `${last.model}: ${last.purpose}`;
    case "tool":
      return last.output === null ? `Running ${last.tool}` : `${last.tool} ${toolState(last)}`;
    case "verdict":
      return `${last.verifier}: ${last.reason}`;
    case "escalated":
      return `Going on with ${routeLabel(last.route)}`;
    case "queued":
      return `Waiting for the machine: place ${last.position} in the queue`;
    case "resumed":
      return "Taken over after an interruption";
    case "answered":
      return "Giving the answer of before";
    case "playbook":
      if (last.problem) return "Going on without the playbook";
      return last.entries.length ? "Using what worked on such questions" : "Looking at the question";
    case "artifact":
      return `Made ${last.name}`;
    case "tool_calls":
      return "Asking for your tools";
  }
}
