/** What the gateway's JSON holds. Times are Unix seconds, ids are opaque. */

export type Effort = "none" | "minimal" | "low" | "medium" | "high";

export type RunStatus = "answered" | "budget" | "needs_input" | "abstained" | "cancelled" | "error";

export interface Me {
  owner: string;
  single_user: boolean;
  may_see_reasoning: boolean;
  may_record?: boolean;
}

export interface Offer {
  id: string;
  kind: "auto" | "strategy" | "model";
  description: string;
}

export interface Conversation {
  id: string;
  title: string;
  created: number;
  updated: number;
}

export interface Budget {
  tokens?: number | null;
  calls?: number | null;
  seconds?: number | null;
  money?: number | null;
}

/** How an answer is to be made; what is absent is the server's to choose. */
export interface AnswerOptions {
  model?: string;
  strategy?: string;
  reasoning_effort?: Effort;
  budget?: Budget;
}

export interface TurnSettings {
  model?: string | null;
  strategy?: string | null;
  reasoning_effort?: Effort | null;
  budget?: Budget | null;
}

export type Rating = 1 | -1;

export interface Feedback {
  rating: Rating;
  reason: string | null;
}

export interface Turn {
  id: string;
  parent: string | null;
  role: "user" | "assistant";
  content: string;
  created: number;
  run: string | null;
  status: null | "running" | RunStatus;
  route: string | null;
  error: string | null;
  settings: TurnSettings | null;
  feedback: Feedback | null;
}

export interface Thread extends Conversation {
  turns: Turn[];
}

export interface Usage {
  prompt: number;
  completion: number;
  cached: number;
}

export interface LedgerSummary {
  tokens: Record<string, Usage>;
  calls: number;
  seconds: number;
  money: number;
  spent: string | null;
}

export interface RunRecord {
  id: string;
  status: "running" | RunStatus;
  route: string | null;
  text: string;
  value: string | null;
  ledger: LedgerSummary | null;
  error: string | null;
}

export interface DashboardDay {
  day: string;
  runs: number;
  seconds_p50: number | null;
  seconds_p95: number | null;
  cost: number | null;
  large_tokens: number;
  small_tokens: number;
  accepted: number;
  feedback_up: number;
  feedback_down: number;
}

export interface DashboardRoute {
  route: string;
  runs: number;
  share: number;
  seconds_p50: number | null;
  cost: number | null;
  supported: number | null;
  up: number;
  down: number;
}

export interface FrontierPoint {
  bench: string;
  system: string;
  setting: string | null;
  dataset: string;
  n: number;
  accuracy: number;
  ci95: [number, number] | null;
  cost: number | null;
}

export interface Dashboard {
  runs: number;
  days: DashboardDay[];
  routes: DashboardRoute[];
  frontier: FrontierPoint[];
  cache: Record<string, unknown> | null;
  playbook: Record<string, unknown> | null;
}
