// @vitest-environment jsdom
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, test } from "vitest";
import { App } from "../src/app";
import { delta, eventText, finished, type Handler, openGateway, type TestGateway } from "./gateway";

let gateway: TestGateway | null = null;
afterEach(async () => {
  await gateway?.close();
  location.hash = "";
});

const turn = (id: string, more: object) => ({
  id,
  parent: null,
  content: "",
  created: 1,
  run: null,
  status: null,
  route: null,
  error: null,
  settings: null,
  feedback: null,
  ...more,
});

const bodies: { path: string; body: unknown }[] = [];

/** Answers every question with `events`; `refusal` is what a question is refused with. */
function serving(events: { type: string }[], refusal?: string): Handler {
  bodies.length = 0;
  return (request, response) => {
    let text = "";
    request.on("data", (piece: Buffer) => {
      text += piece.toString();
    });
    request.on("end", () => {
      const path = request.url?.split("?")[0] ?? "";
      if (text) bodies.push({ path, body: JSON.parse(text) });
      const json = (body: unknown, status = 200): void => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      };
      const conversation = { id: "c1", title: "Trains", created: 1, updated: 1 };
      if (path === "/v1/me") return json({ owner: "local", single_user: true, may_see_reasoning: true });
      if (path === "/v1/models") return json({ data: [{ id: "cot", kind: "strategy", description: "always cot" }] });
      if (path.endsWith("/events")) {
        response.writeHead(200, { "content-type": "text/event-stream" });
        return response.end(events.map((event, at) => eventText(at + 1, event)).join(""));
      }
      if (path.endsWith("/feedback")) return json({});
      if (path.endsWith("/turns")) {
        if (refusal) return json({ error: { message: refusal } }, 429);
        const answer = { role: "assistant", parent: "q", run: "r1", status: "running" };
        return json({ user: turn("q", { role: "user", content: "How far?" }), assistant: turn("a", answer) });
      }
      if (path === "/v1/conversations" && request.method === "GET") return json({ data: [conversation], next: null });
      if (path.startsWith("/v1/conversations")) return json({ ...conversation, turns: [] });
      return json({ error: { message: "not here" } }, 404);
    });
  };
}

async function ask(): Promise<void> {
  render(<App />);
  await userEvent.type(await screen.findByRole("textbox", { name: "Your question" }), "How far?{Enter}");
}

describe("the chat", () => {
  test("asks, streams the answer and shows the work", async () => {
    gateway = await openGateway(
      serving([
        { type: "routed", route: "cot(large)", reason: "It is hard.", considered: [] } as { type: string },
        delta("**420"),
        delta(" km**"),
        finished("**420 km**"),
      ]),
    );
    await ask();
    expect((await screen.findByText("420 km")).tagName).toBe("STRONG");
    await userEvent.click(await screen.findByRole("button", { name: "Why this model?" }));
    expect(screen.getByText("Cot on large was taken because it is hard.")).toBeTruthy();
    expect(location.hash).toBe("#/c/c1");
  });

  test("offers the choices of a clarifying question, and sends the chosen one", async () => {
    gateway = await openGateway(
      serving([
        { type: "question.asked", question: "Which?", choices: ["first", "second"] } as { type: string },
        delta("Which?"),
        { ...finished("Which?"), status: "needs_input" } as { type: string },
      ]),
    );
    await ask();
    await userEvent.click(await screen.findByRole("button", { name: "second" }));
    expect(bodies.at(-1)).toEqual({ path: "/v1/conversations/c1/turns", body: { parent: "a", content: "second" } });
  });

  test("keeps what was typed when a question is refused, and says why", async () => {
    gateway = await openGateway(serving([], "64 runs are in flight; try again soon"));
    await ask();
    expect((await screen.findByRole("alert")).textContent).toContain("64 runs are in flight");
    expect((screen.getByRole("textbox", { name: "Your question" }) as HTMLTextAreaElement).value).toBe("How far?");
  });

  test("takes a rating with a reason", async () => {
    gateway = await openGateway(serving([delta("420"), finished("420")]));
    await ask();
    await userEvent.click(await screen.findByRole("button", { name: "Bad answer" }));
    await userEvent.keyboard("no unit{Enter}");
    await screen.findByRole("button", { name: "Bad answer", pressed: true });
    expect(bodies.slice(-2).map(({ body }) => body)).toEqual([{ rating: -1 }, { rating: -1, reason: "no unit" }]);
  });

  test("sends the chosen effort and route", async () => {
    gateway = await openGateway(serving([finished("1")]));
    render(<App />);
    await userEvent.click(await screen.findByRole("radio", { name: "Deep" }));
    await userEvent.click(screen.getByRole("button", { name: "Route and budget" }));
    await userEvent.selectOptions(screen.getByLabelText("Strategy"), "cot");
    await userEvent.type(screen.getByLabelText("Tokens"), "500");
    await userEvent.click(screen.getByRole("button", { name: "Done" }));
    await userEvent.type(screen.getByRole("textbox", { name: "Your question" }), "How far?{Enter}");
    await screen.findByRole("article", { name: "Tandem" });
    expect(bodies.find(({ path }) => path.endsWith("/turns"))?.body).toEqual({
      parent: null,
      content: "How far?",
      reasoning_effort: "high",
      strategy: "cot",
      budget: { tokens: 500 },
    });
  });

  test("asks for a key where keys are configured, and says what is wrong with one", async () => {
    gateway = await openGateway((_, response) => {
      response.writeHead(401, { "content-type": "application/json" });
      response.end('{"error": {"message": "this key is not known"}}');
    });
    render(<App />);
    await userEvent.type(await screen.findByLabelText("API key"), "tandem-x{Enter}");
    expect((await screen.findByRole("alert")).textContent).toContain("this key is not known");
  });

  test("says what to do when the gateway is away", async () => {
    gateway = await openGateway((_, response) => response.destroy());
    render(<App />);
    expect((await screen.findByRole("alert")).textContent).toContain("tandem serve");
  });
});
