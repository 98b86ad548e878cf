/** A conversation's turns are a tree: an edit or a second answer is a sibling, and one path through it is shown. */

import type { Turn } from "../api/types";

/** Which child is shown under a turn; the newest where nothing was chosen. Key "" is the root. */
export type Choices = Readonly<Record<string, string>>;

export interface Place {
  turn: Turn;
  /** All turns with the same parent, oldest first; `turn` is at `index`. */
  siblings: Turn[];
  index: number;
}

/** From the first turn to the last of the chosen branch. */
export function pathOf(turns: readonly Turn[], choices: Choices): Place[] {
  const children = childrenOf(turns);
  const path: Place[] = [];
  let parent = "";
  // A turn that names itself or a descendant as its parent must not hang the page.
  while (path.length <= turns.length) {
    const siblings = children.get(parent);
    if (!siblings?.length) return path;
    const chosen = siblings.findIndex((turn) => turn.id === choices[parent]);
    const index = chosen < 0 ? siblings.length - 1 : chosen;
    const turn = siblings[index];
    if (!turn) return path;
    path.push({ turn, siblings, index });
    parent = turn.id;
  }
  return path;
}

function childrenOf(turns: readonly Turn[]): Map<string, Turn[]> {
  const children = new Map<string, Turn[]>();
  for (const turn of turns) {
    const siblings = children.get(turn.parent ?? "");
    if (siblings) siblings.push(turn);
    else children.set(turn.parent ?? "", [turn]);
  }
  for (const siblings of children.values()) siblings.sort((a, b) => a.created - b.created);
  return children;
}

export function choose(choices: Choices, turn: Turn): Choices {
  return { ...choices, [turn.parent ?? ""]: turn.id };
}

/** `changes` replace turns of the same id and are added where there is none. */
export function withTurns(turns: readonly Turn[], changes: readonly Turn[]): Turn[] {
  const byId = new Map(changes.map((turn) => [turn.id, turn]));
  const kept = turns.map((turn) => byId.get(turn.id) ?? turn);
  const known = new Set(turns.map((turn) => turn.id));
  return [...kept, ...changes.filter((turn) => !known.has(turn.id))];
}
