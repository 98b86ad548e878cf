/** The playbook's endpoints. */

import { call, query } from "../api/http";

export type Status = "candidate" | "promoted" | "demoted" | "disabled";

/** A whole strategy: a route, and what its models are given beside the question. */
export interface Recipe {
  strategy: string;
  models: string[];
  options: Record<string, unknown>;
  instruction: string;
  examples: { problem: string; solution: string }[];
  temperature: number | null;
  tokens: number | null;
}

export interface Entry {
  id: string;
  kind: "recipe" | "behaviour" | "example";
  name: string;
  /** A behaviour's instruction, an example's solution, or one sentence on a recipe. */
  text: string;
  recipe: Recipe | null;
  /** A typical question that it is for. */
  problem: string;
  status: Status;
  pinned: boolean;
  disabled: boolean;
  wins: number;
  trials: number;
  tokens_per_trial: number | null;
  /** Outcomes that were set beside what the default does, and the mean difference in right answers. */
  compared: number;
  gain: number | null;
  used: number;
  provenance: string[];
  similarity?: number;
}

export interface Filters {
  search: string;
  status: Status | "";
  kind: Entry["kind"] | "";
}

export interface Page {
  data: Entry[];
  next: string | null;
}

export const listEntries = (filters: Filters, after: string | null = null): Promise<Page> =>
  call("GET", `/v1/playbook${query({ ...filters, after })}`);

export const changeEntry = (id: string, fields: Partial<Pick<Entry, "pinned" | "disabled">>): Promise<Entry> =>
  call("PATCH", `/v1/playbook/${encodeURIComponent(id)}`, fields);

export const deleteEntry = (id: string): Promise<void> => call("DELETE", `/v1/playbook/${encodeURIComponent(id)}`);
