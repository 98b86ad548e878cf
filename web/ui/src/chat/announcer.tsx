import type { Turn } from "../api/types";
import { STATUS_TEXT } from "./status";

/** Tells a screen reader when an answer begins and ends, instead of reading every token. */
export function Announcer({ turn }: { turn: Turn | null }) {
  return (
    <div className="visually-hidden" role="status">
      {turn ? announcement(turn) : ""}
    </div>
  );
}

function announcement(turn: Turn): string {
  if (turn.role === "user" || turn.status === null) return "";
  if (turn.status === "running") return "The answer is being written.";
  if (turn.status === "needs_input") return `A question back: ${turn.content.slice(0, 300)}`;
  return STATUS_TEXT[turn.status]?.label ?? `The answer is complete. ${turn.content.slice(0, 300)}`;
}
