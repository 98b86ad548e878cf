/** A run's events as the gateway sends them (agents/events.py says what each means). */

import type { LedgerSummary, RunStatus, Usage } from "../api/types";

export interface Alternative {
  text: string;
  logprob: number;
}

/**
 * One token of a collaborative answer. `entropy` and `logprob` in nats. `grade` is the one, from 0 to 9, for which the
 * step that begins here was accepted or written anew; absent or null on every other token, and where nobody grades.
 */
export interface Written {
  position: number;
  id: number;
  text: string;
  model: string;
  logprob: number | null;
  entropy: number | null;
  alternatives: Alternative[];
  grade?: number | null;
}

/** `n` questions are behind a success that was measured, with its 95 % `interval`; null where it was predicted. */
export interface Considered {
  route: string;
  success: number | null;
  cost: number | null;
  tokens?: number | null;
  n?: number | null;
  interval?: [number, number] | null;
}

export interface Charge {
  call: string;
  model: string;
  usage: Usage;
  money: number;
}

/** An entry of the playbook that a run uses. */
export interface RecalledEntry {
  id: string;
  kind: string;
  name: string;
  status: string;
  win_rate: number;
  trials: number;
}

export type RunEvent =
  | { type: "run.started"; run: string; model: string; created: number }
  | { type: "answer.recalled"; run: string; age: number; tokens: number }
  | {
      type: "recalled";
      entries: RecalledEntry[];
      reason: string;
      left_out: string | null;
      problem: string | null;
    }
  | { type: "assessed"; form: string; difficulty: number | null; reason: string }
  | { type: "routed"; route: string; reason: string; considered: Considered[] }
  | { type: "escalated"; origin: string; route: string; reason: string }
  | { type: "queued"; model: string; position: number }
  | { type: "step.started"; step: string; model: string; purpose: string }
  | { type: "step.finished"; step: string; text: string; mean_logprob: number | null; cancelled?: boolean }
  | { type: "reasoning.delta"; step: string; text: string; tokens?: Written[] }
  | { type: "content.delta"; text: string; model: string; tokens?: Written[] }
  | { type: "handed_over"; step: string; position: number; origin: string; model: string; reason: string }
  | { type: "question.asked"; question: string; choices: string[] }
  | { type: "artifact"; name: string; media_type: string; size: number }
  | { type: "tool_calls"; calls: unknown[] }
  | { type: "tool.started"; call?: string; tool: string; input: string }
  | {
      type: "tool.finished";
      call?: string;
      tool: string;
      output: string;
      ok: boolean;
      seconds: number;
      cancelled?: boolean;
    }
  | { type: "verdict"; verifier: string; accepted: boolean | null; reason: string }
  | { type: "charged"; charge: Charge }
  | { type: "run.resumed"; fence: number }
  | {
      type: "run.finished";
      status: RunStatus;
      finish_reason: string;
      route: string | null;
      text: string;
      value: string | null;
      ledger: LedgerSummary;
      error: string | null;
      error_type: string | null;
    };
