/** A run's events, folded into what the page shows. */

import type { LedgerSummary, Usage } from "../api/types";
import type { Considered, RecalledEntry, RunEvent, Written } from "./events";

type Of<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>;

interface Item {
  key: number;
  /** Grows with every change, so that a drawn item knows whether it is still current. */
  version: number;
}

export interface StepItem extends Item {
  kind: "step";
  step: string;
  model: string;
  purpose: string;
  text: string;
  tokens: Written[];
  handovers: number;
  meanLogprob: number | null;
  done: boolean;
  /** It lost against others and was cut short; `text` is what it had by then. */
  stopped: boolean;
}

export interface ToolItem extends Item {
  kind: "tool";
  /** Which result belongs to it; empty in traces of before there was such a thing. */
  call: string;
  tool: string;
  input: string;
  output: string | null;
  ok: boolean | null;
  seconds: number | null;
  stopped: boolean;
}

export type TimelineItem =
  | StepItem
  | ToolItem
  | (Item & { kind: "verdict"; verifier: string; accepted: boolean | null; reason: string })
  | (Item & { kind: "escalated"; origin: string; route: string; reason: string })
  | (Item & { kind: "queued"; model: string; position: number })
  | (Item & { kind: "resumed" })
  | (Item & { kind: "answered"; run: string; tokens: number })
  | (Item & { kind: "playbook"; entries: RecalledEntry[]; reason: string; problem: string | null })
  | (Item & { kind: "artifact"; name: string; mediaType: string; size: number })
  | (Item & { kind: "tool_calls"; calls: unknown[] });

export type Artifact = Extract<TimelineItem, { kind: "artifact" }>;

/** What was asked of the reader. */
export interface Question {
  question: string;
  choices: string[];
}

/** What became of a tool call, in a word. */
export function toolState(tool: ToolItem): string {
  if (tool.output === null) return "running";
  if (tool.stopped) return "stopped";
  return tool.ok ? "ran" : "failed";
}

function running(item: TimelineItem): item is ToolItem {
  return item.kind === "tool" && item.output === null;
}

type NewItem = TimelineItem extends infer T ? (T extends Item ? Omit<T, "key" | "version"> : never) : never;

/** Mutable on purpose: a run has tens of thousands of events, and one page draws at most one of them a frame. */
export class Trace {
  started: Of<"run.started"> | null = null;
  assessed: Of<"assessed"> | null = null;
  /** The first decision; what came after it are escalations on the timeline. */
  routed: { route: string; reason: string; considered: Considered[] } | null = null;
  route: string | null = null;
  timeline: TimelineItem[] = [];
  content = "";
  contentTokens: Written[] = [];
  contentModel: string | null = null;
  question: Question | null = null;
  usage: Record<string, Usage> = {};
  calls = 0;
  finished: Of<"run.finished"> | null = null;

  private readonly steps = new Map<string, StepItem>();
  private readonly charged = new Set<string>();

  add(event: RunEvent): void {
    switch (event.type) {
      case "run.started":
        this.started = event;
        break;
      case "answer.recalled":
        this.append({ kind: "answered", run: event.run, tokens: event.tokens });
        break;
      case "recalled":
        this.append({ kind: "playbook", entries: event.entries, reason: event.reason, problem: event.problem });
        break;
      case "assessed":
        this.assessed = event;
        break;
      case "routed":
        this.routed ??= event;
        this.route = event.route;
        break;
      case "escalated":
        this.route = event.route;
        this.append({ kind: "escalated", origin: event.origin, route: event.route, reason: event.reason });
        break;
      case "queued":
        this.queued(event);
        break;
      case "step.started":
        this.stepStarted(event);
        break;
      case "step.finished":
        this.stepFinished(event);
        break;
      case "reasoning.delta":
        this.reasoned(event);
        break;
      case "content.delta":
        this.content += event.text;
        this.contentModel = event.model;
        if (event.tokens) for (const token of event.tokens) this.contentTokens.push(token);
        break;
      case "handed_over":
        this.change(this.steps.get(event.step), (step) => {
          step.handovers += 1;
        });
        break;
      case "question.asked":
        this.question = { question: event.question, choices: event.choices };
        break;
      case "artifact":
        this.append({ kind: "artifact", name: event.name, mediaType: event.media_type, size: event.size });
        break;
      case "tool_calls":
        this.append({ kind: "tool_calls", calls: event.calls });
        break;
      case "tool.started":
        this.toolStarted(event);
        break;
      case "tool.finished":
        this.toolFinished(event);
        break;
      case "verdict":
        this.append({ kind: "verdict", verifier: event.verifier, accepted: event.accepted, reason: event.reason });
        break;
      case "charged":
        this.charge(event);
        break;
      case "run.resumed":
        this.append({ kind: "resumed" });
        break;
      case "run.finished":
        this.finished = event;
        this.route = event.route ?? this.route;
        this.stopTools();
        break;
    }
  }

  /** What the run has drawn: the final ledger, or the charges so far. */
  get ledger(): Pick<LedgerSummary, "tokens" | "calls"> & Partial<LedgerSummary> {
    return this.finished?.ledger ?? { tokens: this.usage, calls: this.calls };
  }

  get artifacts(): Artifact[] {
    return this.timeline.filter((item): item is Artifact => item.kind === "artifact");
  }

  /** The tokens of the answer where two models wrote it: of the visible text, else of the step it was taken from. */
  get written(): Written[] {
    if (this.contentTokens.length) return this.contentTokens;
    const steps = this.timeline.filter((item): item is StepItem => item.kind === "step" && item.tokens.length > 0);
    return steps.at(-1)?.tokens ?? [];
  }

  private append(item: NewItem): void {
    this.timeline.push({ ...item, key: this.timeline.length, version: 0 } as TimelineItem);
  }

  private change<T extends Item>(item: T | undefined, mutate: (item: T) => void): void {
    if (!item) return;
    mutate(item);
    item.version += 1;
  }

  private queued(event: Of<"queued">): void {
    const last = this.timeline.at(-1);
    if (last?.kind !== "queued") {
      this.append({ kind: "queued", model: event.model, position: event.position });
      return;
    }
    this.change(last, (item) => {
      item.position = event.position;
      item.model = event.model;
    });
  }

  private stepStarted(event: Of<"step.started">): void {
    this.append({
      kind: "step",
      step: event.step,
      model: event.model,
      purpose: event.purpose,
      text: "",
      tokens: [],
      handovers: 0,
      meanLogprob: null,
      done: false,
      stopped: false,
    });
    this.steps.set(event.step, this.timeline.at(-1) as StepItem);
  }

  private stepFinished(event: Of<"step.finished">): void {
    this.change(this.steps.get(event.step), (step) => {
      if (event.text) step.text = event.text;
      step.meanLogprob = event.mean_logprob;
      step.done = true;
      step.stopped = event.cancelled ?? false;
    });
  }

  private reasoned(event: Of<"reasoning.delta">): void {
    this.change(this.steps.get(event.step), (step) => {
      step.text += event.text;
      if (event.tokens) for (const token of event.tokens) step.tokens.push(token);
    });
  }

  private toolStarted(event: Of<"tool.started">): void {
    this.append({
      kind: "tool",
      call: event.call ?? "",
      tool: event.tool,
      input: event.input,
      output: null,
      ok: null,
      seconds: null,
      stopped: false,
    });
  }

  private toolFinished(event: Of<"tool.finished">): void {
    const call = event.call ?? "";
    const begun = this.timeline.findLast(
      (item): item is ToolItem => running(item) && item.call === call && item.tool === event.tool,
    );
    this.change(begun, (tool) => {
      tool.output = event.output;
      tool.ok = event.ok;
      tool.seconds = event.seconds;
      tool.stopped = event.cancelled ?? false;
    });
  }

  /** Nothing runs on after the run's end, also where nobody was left to say so. */
  private stopTools(): void {
    for (const item of this.timeline.filter(running)) {
      this.change(item, (tool) => {
        tool.output = "";
        tool.stopped = true;
      });
    }
  }

  private charge(event: Of<"charged">): void {
    const { call, model, usage } = event.charge;
    if (this.charged.has(call)) return;
    this.charged.add(call);
    const before = this.usage[model] ?? { prompt: 0, completion: 0, cached: 0 };
    this.usage = {
      ...this.usage,
      [model]: {
        prompt: before.prompt + usage.prompt,
        completion: before.completion + usage.completion,
        cached: before.cached + usage.cached,
      },
    };
    this.calls += 1;
  }
}
