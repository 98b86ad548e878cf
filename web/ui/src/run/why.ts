/** "Why this model?" in one sentence. */

import { routeLabel } from "./route";
import type { Trace } from "./trace";

export function whyThisModel(trace: Trace): string | null {
  if (!trace.routed) return null;
  const first = `${routeLabel(trace.routed.route)} was taken because ${lowerFirst(trace.routed.reason)}`;
  const steps = trace.timeline.filter((item) => item.kind === "escalated");
  const last = steps.at(-1);
  if (!last) return sentence(first);
  const count = steps.length === 1 ? "it then went on" : `after ${steps.length} escalations it went on`;
  return sentence(`${first}; ${count} to ${routeLabel(last.route)} because ${lowerFirst(last.reason)}`);
}

function lowerFirst(text: string): string {
  const trimmed = text.trim().replace(/[.\s]+$/, "");
  // A word in capitals ("SymPy", "CPU") keeps them.
  return /^[A-Z][a-z]*(\s|$)/.test(trimmed) ? trimmed.charAt(0).toLowerCase() + trimmed.slice(1) : trimmed;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
