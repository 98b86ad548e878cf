import { describe, expect, test } from "vitest";
import { blocksOf } from "../src/markdown/blocks";
import { withDollars } from "../src/markdown/maths";

const texts = (source: string): string[] => blocksOf(source).map((block) => block.text.trim());

describe("blocksOf", () => {
  test("cuts at blank lines and around code", () => {
    expect(texts("one\nstill one\n\ntwo\n```py\na\n\nb\n```\nthree")).toEqual([
      "one\nstill one",
      "two",
      "```py\na\n\nb\n```",
      "three",
    ]);
  });

  test("keeps lists and maths whole over blank lines", () => {
    expect(texts("1. a\n\n   more\n\n2. b\n\nafter")).toEqual(["1. a\n\n   more\n\n2. b", "after"]);
    expect(texts("$$\na\n\nb\n$$\n\nafter")).toEqual(["$$\na\n\nb\n$$", "after"]);
  });

  test("tells a fence that is still open, with its language", () => {
    expect(blocksOf("text\n\n```python\nprint(1)").at(-1)?.open).toEqual({ language: "python", code: "print(1)" });
    expect(blocksOf("````md\n```\n").at(-1)?.open).toEqual({ language: "md", code: "```\n" });
  });

  test("does not cut a text whose parts refer to each other", () => {
    expect(texts("[a][1]\n\n[1]: https://example.org")).toHaveLength(1);
  });

  test("only ever changes the last block while a text grows", () => {
    const source = "# Title\n\npara $x$\n\n- a\n- b\n\n```js\nlet a;\n\nlet b;\n```\n\nend.";
    let before: string[] = [];
    for (let length = 1; length <= source.length; length++) {
      const now = blocksOf(source.slice(0, length)).map((block) => block.text.trimEnd());
      expect(now.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
      before = now;
    }
  });
});

describe("withDollars", () => {
  test("brings every way of writing maths to one form", () => {
    expect(withDollars("a \\(x\\) b")).toBe("a $$x$$ b");
    expect(withDollars("a $x_1$ b")).toBe("a $$x_1$$ b");
    expect(withDollars("\\[ x \\]")).toBe("\n$$\nx\n$$\n");
    expect(withDollars("$$x$$")).toBe("\n$$\nx\n$$\n");
  });

  test("leaves money and code alone", () => {
    for (const text of [
      "It costs $5 or $10.",
      "$5-$10",
      "`$x$` and `\\(y\\)`",
      "```sh\necho $A $B\n```",
      "a \\$x\\$ b",
    ]) {
      expect(withDollars(text)).toBe(text);
    }
  });
});
