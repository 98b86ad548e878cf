import type { RunEvent } from "../run/events";
import { percent } from "../shell/format";

/** How hard the question looked before anything was tried; "no signal" is not "easy". */
export function Difficulty({ assessed }: { assessed: Extract<RunEvent, { type: "assessed" }> }) {
  const { difficulty, form, reason } = assessed;
  return (
    <section className="trace-section">
      <h3>Question</h3>
      <div className="difficulty">
        <span>Difficulty</span>
        <meter min={0} max={1} value={difficulty ?? 0} aria-label="Difficulty" />
        <span>{difficulty === null ? "no signal" : percent(difficulty)}</span>
      </div>
      <p className="reason">
        {reason} {form !== "text" && <span className="chip">{form} answer</span>}
      </p>
    </section>
  );
}
