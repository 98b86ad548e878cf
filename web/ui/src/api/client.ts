/** The gateway's endpoints, one function each. All throw `ApiError`. */

import { call, query } from "./http";
import type { AnswerOptions, Conversation, Dashboard, Me, Offer, Rating, RunRecord, Thread, Turn } from "./types";

const id = encodeURIComponent;

export const me = (): Promise<Me> => call("GET", "/v1/me");
export const logIn = (key: string): Promise<Me> => call("POST", "/v1/session", { key });
export const logOut = (): Promise<void> => call("DELETE", "/v1/session");

interface ListedModel {
  id: string;
  kind?: Offer["kind"];
  description?: string;
  tandem?: { kind?: Offer["kind"]; description?: string };
}

export async function offers(): Promise<Offer[]> {
  const { data } = await call<{ data: ListedModel[] }>("GET", "/v1/models");
  return data.map((model) => ({
    id: model.id,
    kind: model.tandem?.kind ?? model.kind ?? "model",
    description: model.tandem?.description ?? model.description ?? "",
  }));
}

export interface ConversationPage {
  data: Conversation[];
  next: string | null;
}

export const listConversations = (
  search: string,
  before: string | null,
  signal?: AbortSignal,
): Promise<ConversationPage> =>
  call("GET", `/v1/conversations${query({ search, limit: 30, before })}`, undefined, signal);
export const createConversation = (): Promise<Conversation> => call("POST", "/v1/conversations", {});
export const readConversation = (conversation: string, signal?: AbortSignal): Promise<Thread> =>
  call("GET", `/v1/conversations/${id(conversation)}`, undefined, signal);
export const renameConversation = (conversation: string, title: string): Promise<Conversation> =>
  call("PATCH", `/v1/conversations/${id(conversation)}`, { title });
export const deleteConversation = (conversation: string): Promise<void> =>
  call("DELETE", `/v1/conversations/${id(conversation)}`);
export const exportAddress = (conversation: string, format: "json" | "markdown"): string =>
  `/v1/conversations/${id(conversation)}/export?format=${format}`;

export const ask = (
  conversation: string,
  parent: string | null,
  content: string,
  options: AnswerOptions,
): Promise<{ user: Turn; assistant: Turn }> =>
  call("POST", `/v1/conversations/${id(conversation)}/turns`, { parent, content, ...options });
export const answerAgain = (conversation: string, turn: string, options: AnswerOptions): Promise<{ assistant: Turn }> =>
  call("POST", `/v1/conversations/${id(conversation)}/turns/${id(turn)}/answers`, options);

export const readRun = (run: string): Promise<RunRecord> => call("GET", `/v1/runs/${id(run)}`);
export const cancelRun = (run: string): Promise<void> => call("POST", `/v1/runs/${id(run)}/cancel`);
export const rateRun = (run: string, rating: Rating | 0, reason?: string): Promise<void> =>
  call("POST", `/v1/runs/${id(run)}/feedback`, reason ? { rating, reason } : { rating });
export const eventsAddress = (run: string): string => `/v1/runs/${id(run)}/events`;
export const artifactAddress = (run: string, name: string): string => `/v1/runs/${id(run)}/artifacts/${id(name)}`;

export const dashboard = (days: number): Promise<Dashboard> => call("GET", `/v1/dashboard?days=${days}`);
