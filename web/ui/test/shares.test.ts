import { describe, expect, test } from "vitest";
import { undominated } from "../src/dashboard/frontier";
import { linePath, placeLabels, roundUp } from "../src/dashboard/scale";
import type { Written } from "../src/run/events";
import { largeOf, runsOf, savedTokens, sharesOf, writersOf } from "../src/run/shares";

const tokens: Written[] = [..."sslss"].map((letter, position) => ({
  position,
  id: position,
  text: letter,
  model: letter === "s" ? "small" : "large",
  logprob: null,
  entropy: null,
  alternatives: [],
}));

describe("who wrote what", () => {
  test("shares add up, and the others' tokens are what the large model was spared", () => {
    const shares = sharesOf(tokens);
    expect(shares).toEqual([
      { model: "small", tokens: 4, share: 0.8 },
      { model: "large", tokens: 1, share: 0.2 },
    ]);
    expect(savedTokens(shares, "large")).toBe(4);
    expect(largeOf(["small", "large"])).toBe("large");
    expect(largeOf(["qwen-1b", "qwen-32b"])).toBe("qwen-32b");
  });

  test("neighbours of one writer are drawn together", () => {
    expect(runsOf(tokens).map((run) => run.length)).toEqual([2, 1, 2]);
  });

  test("a route's order gives the colours", () => {
    expect(writersOf("entropy(small+large)", tokens)).toEqual(["small", "large"]);
  });
});

describe("charts", () => {
  test("scales end on round numbers that hold the values", () => {
    for (const value of [0.003, 0.41, 1, 1.2, 9.3, 99, 12345]) {
      expect(roundUp(value)).toBeGreaterThanOrEqual(value);
      expect(roundUp(value)).toBeLessThanOrEqual(value * 2);
    }
    expect(roundUp(0)).toBe(1);
  });

  test("a day without a value is a gap", () => {
    expect(
      linePath(
        [1, null, 2, 3],
        (x) => x,
        (y) => y,
      ),
    ).toBe("M0.00 1.00M2.00 2.00L3.00 3.00");
  });

  test("names of points that lie close together do not lie on each other", () => {
    const labels = placeLabels(
      [
        { text: "program(large)", x: 200, y: 100 },
        { text: "auto low", x: 210, y: 98 },
        { text: "auto high", x: 480, y: 98 },
      ],
      500,
    );
    expect(Math.abs((labels[0]?.y ?? 0) - (labels[1]?.y ?? 0))).toBeGreaterThanOrEqual(14);
    expect(labels[2]).toMatchObject({ anchor: "end", y: 102 });
  });

  test("the frontier leaves out what is beaten at no higher cost", () => {
    const point = (system: string, cost: number, accuracy: number) => ({
      bench: "b",
      system,
      setting: null,
      dataset: "d",
      n: 1,
      accuracy,
      ci95: null,
      cost,
    });
    const best = undominated([point("a", 1, 0.5), point("b", 0.4, 0.55), point("c", 0.1, 0.2)]);
    expect(best.map((one) => one.system)).toEqual(["b", "c"]);
  });
});
