import { type FormEvent, type KeyboardEvent, memo, useState } from "react";
import type { Turn } from "../api/types";
import { CopyButton } from "../shell/copy-button";
import { Icon } from "../shell/icons";
import { Branches } from "./branches";
import type { Place } from "./tree";

interface UserTurnProps {
  place: Place;
  show: (turn: Turn) => void;
  /** Ask again with other words: a branch beside this turn. */
  edit: (content: string) => Promise<boolean>;
}

export const UserTurn = memo(function UserTurn({ place, show, edit }: UserTurnProps) {
  const [editing, setEditing] = useState(false);
  const { turn } = place;
  if (editing) {
    const resend = async (content: string): Promise<void> => {
      if (await edit(content)) setEditing(false);
    };
    return <EditForm content={turn.content} resend={resend} cancel={() => setEditing(false)} />;
  }
  return (
    <>
      <div className="question">{turn.content}</div>
      <div className={place.siblings.length > 1 ? "turn-actions branching" : "turn-actions"}>
        <Branches place={place} show={show} label="wording" />
        <CopyButton text={turn.content} label="Copy question" />
        <button
          type="button"
          className="icon-button"
          aria-label="Edit and ask again"
          title="Edit and ask again"
          onClick={() => setEditing(true)}
        >
          <Icon name="edit" />
        </button>
      </div>
    </>
  );
});

interface EditFormProps {
  content: string;
  resend: (content: string) => Promise<void>;
  cancel: () => void;
}

function EditForm({ content, resend, cancel }: EditFormProps) {
  const [value, setValue] = useState(content);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (value.trim()) void resend(value.trim());
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) submit(event);
    if (event.key === "Escape") {
      event.stopPropagation();
      cancel();
    }
  };
  return (
    <form className="edit-form" onSubmit={submit}>
      <textarea
        // biome-ignore lint/a11y/noAutofocus: it appears because the reader asked to type here
        autoFocus
        aria-label="Edit the question"
        rows={Math.min(12, value.split("\n").length + 1)}
        value={value}
        onChange={(event) => setValue(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="dialog-actions">
        <button type="button" className="button small quiet" onClick={cancel}>
          Cancel
        </button>
        <button type="submit" className="button small primary" disabled={!value.trim()}>
          Ask again
        </button>
      </div>
    </form>
  );
}
