/** A gateway for tests: a real HTTP server that tells a run's events piece by piece, as slowly or brokenly as told. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface TestGateway {
  url: string;
  requests: IncomingMessage[];
  close: () => Promise<void>;
}

/** Answers with `handler`; addresses that begin with a slash lead here while it is open. */
export async function openGateway(handler: Handler): Promise<TestGateway> {
  const requests: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(request);
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const own = globalThis.fetch;
  globalThis.fetch = (address, init) => own(typeof address === "string" ? url + address : address, init);
  return {
    url,
    requests,
    close: () => {
      globalThis.fetch = own;
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

export function eventText(id: number, event: { type: string }): string {
  return `id: ${id}-0\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

export const delta = (text: string) => ({ type: "content.delta", text, model: "large", tokens: [] });

export const finished = (text: string) => ({
  type: "run.finished",
  status: "answered",
  finish_reason: "stop",
  route: "cot(large)",
  text,
  value: null,
  ledger: { tokens: {}, calls: 1, seconds: 1, money: 0, spent: null },
  error: null,
  error_type: null,
});
