/** Who wrote how much of an answer, and what that saved against the large model alone. */

import type { Written } from "./events";
import { modelsOf } from "./route";

export interface Share {
  model: string;
  tokens: number;
  share: number;
}

/** Largest share first. */
export function sharesOf(tokens: readonly Written[]): Share[] {
  const counts = new Map<string, number>();
  for (const token of tokens) counts.set(token.model, (counts.get(token.model) ?? 0) + 1);
  return [...counts]
    .map(([model, count]) => ({ model, tokens: count, share: count / tokens.length }))
    .sort((a, b) => b.tokens - a.tokens);
}

/** The writers in the order of their route, which gives each its colour everywhere; others come after. */
export function writersOf(route: string | null | undefined, tokens: readonly Written[]): string[] {
  const known = route ? modelsOf(route) : [];
  const others = sharesOf(tokens)
    .map((share) => share.model)
    .filter((model) => !known.includes(model));
  return [...known, ...others.sort().reverse()];
}

/** Tokens that the large model did not have to write: those of every other writer. */
export function savedTokens(shares: readonly Share[], large: string): number {
  return shares.filter((share) => share.model !== large).reduce((sum, share) => sum + share.tokens, 0);
}

/** Which of the writers stands for the large one: the one that says so, else the second one of the route. */
export function largeOf(models: readonly string[]): string | null {
  return models.find((name) => /large|big|teacher/i.test(name)) ?? models[1] ?? models[0] ?? null;
}

/** Neighbouring tokens of one writer, so that a page of text is a few hundred elements and not ten thousand. */
export function runsOf(tokens: readonly Written[]): Written[][] {
  const runs: Written[][] = [];
  for (const token of tokens) {
    const last = runs.at(-1);
    if (last?.[0]?.model === token.model) last.push(token);
    else runs.push([token]);
  }
  return runs;
}
