// @vitest-environment jsdom
import { afterEach, describe, expect, test, vi } from "vitest";
import { RunFeed } from "../src/run/feed";
import { delta, eventText, finished, openGateway, type TestGateway } from "./gateway";

let gateway: TestGateway | null = null;
let quit: (() => void) | null = null;
afterEach(async () => {
  quit?.();
  await gateway?.close();
});

const drawnAtOnce = { ask: (draw: () => void) => draw() };

function follow(): RunFeed {
  const feed = new RunFeed("r1", drawnAtOnce);
  quit = feed.subscribe(() => undefined);
  return feed;
}

describe("RunFeed", () => {
  test("loses and repeats nothing when connections break in the middle of an event", async () => {
    const words = Array.from({ length: 40 }, (_, index) => `w${index} `);
    const all = [...words.map((word) => delta(word)), finished(words.join(""))].map((event, at) =>
      eventText(at + 1, event),
    );
    gateway = await openGateway((request, response) => {
      const after = Number.parseInt(String(request.headers["last-event-id"] ?? "0"), 10);
      response.writeHead(200, { "content-type": "text/event-stream" });
      // Fifteen events and half of the next, then the line is cut.
      const piece = all.slice(after, after + 15).join("");
      const half = (all[after + 15] ?? "").slice(0, 20);
      response.write(piece + half, () => (after + 15 >= all.length ? response.end() : response.destroy()));
    });
    const feed = follow();
    await vi.waitFor(() => expect(feed.connection).toBe("ended"), { timeout: 10_000 });
    expect(feed.trace.content).toBe(words.join(""));
    expect(gateway.requests.map((request) => request.headers["last-event-id"])).toEqual([undefined, "15-0", "30-0"]);
  });

  test("goes on elsewhere when a connection falls silent, or the device loses its network", async () => {
    const open: import("node:http").ServerResponse[] = [];
    gateway = await openGateway((request, response) => {
      const after = Number.parseInt(String(request.headers["last-event-id"] ?? "0"), 10);
      response.writeHead(200, { "content-type": "text/event-stream" });
      // One event a connection, and then nothing: no end, no error.
      response.write(eventText(after + 1, after < 2 ? delta(`w${after} `) : finished("w0 w1 ")));
      open.push(response);
    });
    const feed = new RunFeed("r1", drawnAtOnce, 300);
    quit = feed.subscribe(() => undefined);
    await vi.waitFor(() => expect(gateway?.requests).toHaveLength(2), { timeout: 5_000 });
    await vi.waitFor(() => expect(feed.trace.content).toBe("w0 w1 "));
    window.dispatchEvent(new Event("offline"));
    await vi.waitFor(() => expect(feed.connection).toBe("ended"), { timeout: 5_000 });
    expect(gateway.requests.map((request) => request.headers["last-event-id"])).toEqual([undefined, "1-0", "2-0"]);
  });

  test("tries again while the gateway is restarting", async () => {
    let asked = 0;
    gateway = await openGateway((_, response) => {
      asked += 1;
      response.writeHead(asked < 2 ? 503 : 200, { "content-type": "text/event-stream" });
      response.end(asked < 2 ? "" : eventText(1, finished("done")));
    });
    const feed = follow();
    await vi.waitFor(() => expect(feed.trace.finished?.text).toBe("done"), { timeout: 10_000 });
    expect(feed.connection).toBe("ended");
  });

  test("knows that the events of an old run are gone", async () => {
    gateway = await openGateway((_, response) => response.writeHead(204).end());
    const feed = follow();
    await vi.waitFor(() => expect(feed.connection).toBe("gone"));
    expect(gateway.requests).toHaveLength(1);
  });

  test("says why a run cannot be followed, in the server's words", async () => {
    gateway = await openGateway((_, response) => {
      response.writeHead(401, { "content-type": "application/json" });
      response.end('{"error": {"message": "log in first"}}');
    });
    const feed = follow();
    await vi.waitFor(() => expect(feed.connection).toBe("failed"));
    expect(feed.problem).toBe("log in first");
  });
});
