/** What the reader has chosen about how answers are made; kept in this browser. */

import type { AnswerOptions, Budget, Effort } from "../api/types";

export const EFFORTS: readonly { effort: Effort; label: string; detail: string }[] = [
  { effort: "none", label: "Instant", detail: "one short answer, nothing checked" },
  { effort: "low", label: "Fast", detail: "one checked attempt" },
  { effort: "medium", label: "Balanced", detail: "a second opinion where the evidence is thin" },
  { effort: "high", label: "Deep", detail: "more attempts, larger budget" },
];

const EFFORT_NAMES = new Set<unknown>(["none", "minimal", "low", "medium", "high"]);
export const LIMITS = ["tokens", "calls", "seconds", "money"] as const;

export function isOptions(value: unknown): value is AnswerOptions {
  if (typeof value !== "object" || value === null) return false;
  const { model, strategy, reasoning_effort: effort, budget } = value as Record<string, unknown>;
  const text = (field: unknown): boolean => field === undefined || typeof field === "string";
  return text(model) && text(strategy) && (effort === undefined || EFFORT_NAMES.has(effort)) && isBudget(budget);
}

function isBudget(value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).every(
    ([name, limit]) => (LIMITS as readonly string[]).includes(name) && (limit === null || typeof limit === "number"),
  );
}

/** A number of a form's field; null where it is empty or no limit at all. */
export function limitOf(text: string): number | null {
  const value = Number(text);
  return text.trim() && Number.isFinite(value) && value > 0 ? value : null;
}

export function withLimit(options: AnswerOptions, name: (typeof LIMITS)[number], value: number | null): AnswerOptions {
  const limits: Budget = { ...options.budget };
  if (value === null) delete limits[name];
  else limits[name] = value;
  const { budget: _, ...rest } = options;
  return Object.keys(limits).length ? { ...rest, budget: limits } : rest;
}

/** `undefined` takes the option away. */
export function withOption<K extends "model" | "strategy" | "reasoning_effort">(
  options: AnswerOptions,
  name: K,
  value: AnswerOptions[K] | undefined,
): AnswerOptions {
  const { [name]: _, ...rest } = options;
  return value === undefined ? rest : { ...rest, [name]: value };
}

/** In a few words, for the button that opens the controls; null where everything is the server's choice. */
export function summaryOf(options: AnswerOptions): string | null {
  const parts = [options.model, options.strategy].filter((part): part is string => Boolean(part));
  const { budget } = options;
  if (budget?.tokens) parts.push(`${budget.tokens} tokens`);
  if (budget?.calls) parts.push(`${budget.calls} calls`);
  if (budget?.seconds) parts.push(`${budget.seconds} s`);
  if (budget?.money) parts.push(`$${budget.money}`);
  return parts.length ? parts.join(" · ") : null;
}
