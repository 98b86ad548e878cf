// @vitest-environment jsdom
import { render, screen, within } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { ConsideredChart } from "../src/trace/considered-chart";

const program = {
  route: "program(large)",
  success: 0.655,
  cost: 0.35,
  tokens: 100,
  n: 400,
  interval: [0.61, 0.7] as [number, number],
};
const chain = { route: "cot(large)", success: null, cost: 1 };

describe("The routes that were weighed", () => {
  test("show success and cost, how sure a measured success is, and what is not known", () => {
    render(<ConsideredChart considered={[program, chain]} chosen="program(large)" />);
    const [, first, second] = screen.getAllByRole("row");
    expect(within(first as HTMLElement).getByText("66 %")).toBeTruthy();
    expect(within(first as HTMLElement).getByText("0.35×")).toBeTruthy();
    expect(within(first as HTMLElement).getByTitle(/Measured on 400 questions: between 61 % and 70 %/)).toBeTruthy();
    expect(within(second as HTMLElement).getByText("unknown")).toBeTruthy();
    expect(screen.getByText(/Success was measured on known questions/)).toBeTruthy();
  });

  test("are only named where nothing was estimated", () => {
    const bare = [program, chain].map((row) => ({ route: row.route, success: null, cost: null }));
    render(<ConsideredChart considered={bare} chosen="program(large)" />);
    expect(screen.queryByRole("table")).toBeNull();
    expect(screen.getByText(/There are no estimates for these routes yet/)).toBeTruthy();
  });
});
