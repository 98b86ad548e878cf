import { type FormEvent, useState } from "react";
import type { Rating, Turn } from "../api/types";
import { Icon } from "../shell/icons";

interface FeedbackProps {
  turn: Turn;
  rate: (rating: Rating | 0, reason?: string) => Promise<void>;
}

/** Thumbs, and after a choice room for a reason, which may stay empty. */
export function Feedback({ turn, rate }: FeedbackProps) {
  const [asking, setAsking] = useState<Rating | 0>(0);
  const given = turn.feedback?.rating ?? 0;
  const choose = (rating: Rating) => async () => {
    const next = given === rating ? 0 : rating;
    // At once, so that what is typed next goes into the field for the reason.
    setAsking(next);
    await rate(next);
  };
  return (
    <>
      <button
        type="button"
        className="icon-button"
        aria-pressed={given === 1}
        aria-label="Good answer"
        title="Good answer"
        onClick={() => void choose(1)()}
      >
        <Icon name="up" />
      </button>
      <button
        type="button"
        className="icon-button"
        aria-pressed={given === -1}
        aria-label="Bad answer"
        title="Bad answer"
        onClick={() => void choose(-1)()}
      >
        <Icon name="dislike" />
      </button>
      {asking !== 0 && (
        <ReasonForm
          good={asking === 1}
          send={async (reason) => {
            setAsking(0);
            if (reason) await rate(asking, reason);
          }}
        />
      )}
    </>
  );
}

function ReasonForm({ good, send }: { good: boolean; send: (reason: string) => Promise<void> }) {
  const [reason, setReason] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void send(reason.trim());
  };
  return (
    <form className="reason-form" onSubmit={submit}>
      <input
        // biome-ignore lint/a11y/noAutofocus: it appears because the reader just gave a rating
        autoFocus
        aria-label="Reason, if you like"
        placeholder={good ? "What was good? (optional)" : "What was wrong? (optional)"}
        maxLength={1000}
        value={reason}
        onChange={(event) => setReason(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          void send("");
        }}
      />
      <button type="submit" className="button small">
        {reason.trim() ? "Send" : "Skip"}
      </button>
    </form>
  );
}
