import type { RunStatus } from "../api/types";

/** What to say of an answer that is not simply an answer; null where nothing needs saying. */
export const STATUS_TEXT: Record<RunStatus, { label: string; help: string } | null> = {
  answered: null,
  needs_input: null,
  budget: {
    label: "Budget spent",
    help: "This is the best answer so far. Raise the effort or the budget and run it again for more.",
  },
  abstained: {
    label: "No answer",
    help: "No attempt gave an answer that could be stood by. Run it again with more effort, or ask in other words.",
  },
  cancelled: { label: "Stopped", help: "You stopped this answer. Run it again to have it whole." },
  error: { label: "Failed", help: "Run it again, or on another route." },
};
