// @vitest-environment jsdom
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { Tinted } from "../src/provenance/tinted";
import type { Written } from "../src/run/events";

const token = (position: number, text: string, more: Partial<Written> = {}): Written => ({
  position,
  id: position,
  text,
  model: "small",
  logprob: null,
  entropy: null,
  alternatives: [],
  ...more,
});

/** What is told of each token, as the arrow keys go through them. */
async function detailsOf(tokens: readonly Written[]): Promise<(string | null)[]> {
  const { container } = render(<Tinted tokens={tokens} route="stepwise(small+large)" version={1} />);
  screen.getByRole("group", { name: /The answer by writer/ }).focus();
  const details: (string | null)[] = [];
  for (const _ of tokens) {
    await userEvent.keyboard("{ArrowRight}");
    details.push(container.querySelector(".token-detail")?.textContent ?? null);
  }
  return details;
}

test("tells the grade where a step begins, whoever wrote it, and nowhere else", async () => {
  expect(
    await detailsOf([
      token(0, "One", { grade: 9, logprob: 0 }),
      token(1, " is", { grade: null }),
      token(2, "Two", { grade: 4.5397, model: "large" }),
      token(3, " were"),
      token(4, "No", { grade: 0 }),
    ]),
  ).toEqual([
    "One by small · probability 100 % · a step begins, whose draft was graded 9 of 9",
    "␣is by small",
    "Two by large · a step begins, whose draft was graded 4.5 of 9",
    "␣were by small",
    "No by small · a step begins, whose draft was graded 0 of 9",
  ]);
});
