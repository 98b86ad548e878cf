import { describe, expect, test } from "vitest";
import type { RunEvent } from "../src/run/events";
import { type ToolItem, Trace, toolState } from "../src/run/trace";
import { whyThisModel } from "../src/run/why";

function traceOf(...events: RunEvent[]): Trace {
  const trace = new Trace();
  for (const event of events) trace.add(event);
  return trace;
}

const routed: RunEvent = {
  type: "routed",
  route: "program(large)",
  reason: "A program settles arithmetic.",
  considered: [],
};
const usage = { prompt: 10, completion: 5, cached: 2 };

describe("Trace", () => {
  test("tells steps, tools and verdicts in their order", () => {
    const trace = traceOf(
      routed,
      { type: "step.started", step: "s", model: "large", purpose: "write a program" },
      { type: "reasoning.delta", step: "s", text: "print(" },
      { type: "reasoning.delta", step: "s", text: "1)" },
      { type: "step.finished", step: "s", text: "print(1)", mean_logprob: -0.2 },
      { type: "tool.started", tool: "python", input: "print(1)" },
      { type: "tool.finished", tool: "python", output: "1", ok: true, seconds: 0.1 },
      { type: "verdict", verifier: "evidence", accepted: true, reason: "it ran" },
    );
    expect(trace.timeline.map((item) => item.kind)).toEqual(["step", "tool", "verdict"]);
    expect(trace.timeline[0]).toMatchObject({ text: "print(1)", meanLogprob: -0.2, done: true });
    expect(trace.timeline[1]).toMatchObject({ output: "1", ok: true });
  });

  test("gives each of two calls of one tool its own result, whichever ends first", () => {
    const trace = traceOf(
      { type: "tool.started", call: "a", tool: "python", input: "print(1)" },
      { type: "tool.started", call: "b", tool: "python", input: "print(2)" },
      { type: "tool.finished", call: "a", tool: "python", output: "1", ok: true, seconds: 0.1 },
      { type: "tool.finished", call: "b", tool: "python", output: "2", ok: true, seconds: 0.2 },
    );
    expect(trace.timeline).toMatchObject([
      { input: "print(1)", output: "1" },
      { input: "print(2)", output: "2" },
    ]);
  });

  test("says of steps and tools that were stopped that they were", () => {
    const trace = traceOf(
      { type: "step.started", step: "s", model: "large", purpose: "sample" },
      { type: "step.finished", step: "s", text: "I th", mean_logprob: null, cancelled: true },
      { type: "tool.started", call: "a", tool: "python", input: "while True: pass" },
      { type: "tool.finished", call: "a", tool: "python", output: "", ok: false, seconds: 2, cancelled: true },
    );
    expect(trace.timeline[0]).toMatchObject({ done: true, stopped: true, text: "I th" });
    expect(toolState(trace.timeline[1] as ToolItem)).toBe("stopped");
  });

  test("leaves no tool running once the run is over", () => {
    const trace = traceOf({ type: "tool.started", call: "a", tool: "python", input: "while True: pass" });
    expect(toolState(trace.timeline[0] as ToolItem)).toBe("running");
    trace.add({
      type: "run.finished",
      status: "cancelled",
      finish_reason: "stop",
      route: null,
      text: "",
      value: null,
      ledger: { tokens: {}, calls: 0, seconds: 2, money: 0, spent: null },
      error: null,
      error_type: null,
    });
    expect(toolState(trace.timeline[0] as ToolItem)).toBe("stopped");
  });

  test("says what the playbook gave, and that an answer was given before", () => {
    const entry = { id: "e", kind: "recipe", name: "program(small)", status: "promoted", win_rate: 0.9, trials: 20 };
    const trace = traceOf(
      { type: "recalled", entries: [entry], reason: "it helped", left_out: null, problem: null },
      { type: "recalled", entries: [], reason: "", left_out: null, problem: "its Redis does not answer" },
      { type: "answer.recalled", run: "r0", age: 5, tokens: 40 },
    );
    expect(trace.timeline[0]).toMatchObject({ kind: "playbook", entries: [entry], reason: "it helped" });
    expect(trace.timeline[1]).toMatchObject({ kind: "playbook", problem: "its Redis does not answer" });
    expect(trace.timeline[2]).toMatchObject({ kind: "answered", run: "r0", tokens: 40 });
  });

  test("keeps a step's text where the caller may not see the whole of it", () => {
    const trace = traceOf(
      { type: "step.started", step: "s", model: "large", purpose: "think" },
      { type: "step.finished", step: "s", text: "", mean_logprob: null },
    );
    expect(trace.timeline[0]).toMatchObject({ text: "", done: true });
  });

  test("charges a call once, and lets the final ledger decide", () => {
    const charged: RunEvent = { type: "charged", charge: { call: "c", model: "large", usage, money: 0 } };
    const trace = traceOf(charged, charged);
    expect(trace.ledger).toEqual({ tokens: { large: usage }, calls: 1 });
  });

  test("finds who wrote what in the content, else in the last step that two wrote", () => {
    const token = { position: 0, id: 1, text: "a", model: "small", logprob: null, entropy: null, alternatives: [] };
    const steps: RunEvent[] = [
      { type: "step.started", step: "s", model: "small", purpose: "write together" },
      { type: "reasoning.delta", step: "s", text: "a", tokens: [token] },
    ];
    expect(traceOf(...steps).written).toEqual([token]);
    const visible = { ...token, text: "b" };
    expect(traceOf(...steps, { type: "content.delta", text: "b", model: "small", tokens: [visible] }).written).toEqual([
      visible,
    ]);
  });

  test("says in one sentence why this model", () => {
    expect(whyThisModel(traceOf())).toBeNull();
    expect(whyThisModel(traceOf(routed))).toBe("Program on large was taken because a program settles arithmetic.");
    const escalated: RunEvent = {
      type: "escalated",
      origin: "program(large)",
      route: "cot(large)",
      reason: "the check failed",
    };
    expect(whyThisModel(traceOf(routed, escalated))).toBe(
      "Program on large was taken because a program settles arithmetic; it then went on to cot on large because the check failed.",
    );
  });
});
