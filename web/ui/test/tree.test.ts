import { describe, expect, test } from "vitest";
import type { Turn } from "../src/api/types";
import { choose, pathOf, withTurns } from "../src/chat/tree";

function turn(id: string, parent: string | null, created: number): Turn {
  return {
    id,
    parent,
    role: "user",
    content: id,
    created,
    run: null,
    status: null,
    route: null,
    error: null,
    settings: null,
    feedback: null,
  };
}

const ids = (places: ReturnType<typeof pathOf>): string[] => places.map((place) => place.turn.id);

describe("a conversation's tree", () => {
  const turns = [turn("q", null, 1), turn("a1", "q", 2), turn("a2", "q", 4), turn("q2", "a1", 3)];

  test("shows the newest branch until another is chosen", () => {
    expect(ids(pathOf(turns, {}))).toEqual(["q", "a2"]);
    const [, , , deeper] = turns;
    const [, first] = turns;
    expect(deeper && first && ids(pathOf(turns, choose({}, first)))).toEqual(["q", "a1", "q2"]);
  });

  test("counts siblings from the oldest", () => {
    const [, second] = pathOf(turns, {});
    expect(second).toMatchObject({ index: 1 });
    expect(second?.siblings.map((sibling) => sibling.id)).toEqual(["a1", "a2"]);
  });

  test("ends on a ring instead of going round for ever", () => {
    expect(pathOf([turn("a", "b", 1), turn("b", "a", 2)], {})).toEqual([]);
    expect(pathOf([turn("a", null, 1), { ...turn("b", "a", 2) }, turn("a", "b", 3)], {}).length).toBeLessThan(6);
  });

  test("replaces what it knows and adds what it does not", () => {
    const changed = { ...turn("a2", "q", 4), content: "new" };
    const grown = withTurns(turns, [changed, turn("q3", "a2", 5)]);
    expect(grown).toHaveLength(5);
    expect(grown.find((other) => other.id === "a2")?.content).toBe("new");
  });
});
