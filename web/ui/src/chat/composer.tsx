import { type FormEvent, type KeyboardEvent, type ReactNode, type RefObject, useLayoutEffect } from "react";
import { Icon } from "../shell/icons";

interface ComposerProps {
  field: RefObject<HTMLTextAreaElement | null>;
  value: string;
  change: (value: string) => void;
  send: () => void;
  /** Set while an answer is being written. */
  stop: (() => void) | null;
  sending: boolean;
  placeholder: string;
  controls: ReactNode;
}

/** Enter sends, Shift+Enter makes a new line; while an answer is written the button stops it. */
export function Composer({ field, value, change, send, stop, sending, placeholder, controls }: ComposerProps) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows what is typed
  useLayoutEffect(() => fitHeight(field.current), [field, value]);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (value.trim() && !sending && !stop) send();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // An input method's Enter chooses a word.
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) submit(event);
  };

  return (
    <form className="composer" onSubmit={submit}>
      <textarea
        ref={field}
        rows={1}
        aria-label="Your question"
        placeholder={placeholder}
        value={value}
        onChange={(event) => change(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="composer-foot">
        {controls}
        {stop ? (
          <button type="button" className="send stop" onClick={stop} aria-label="Stop" title="Stop (Esc)">
            <Icon name="stop" />
          </button>
        ) : (
          <button
            type="submit"
            className="send"
            disabled={!value.trim() || sending}
            aria-label="Send"
            title="Send (Enter)"
          >
            <Icon name="send" />
          </button>
        )}
      </div>
    </form>
  );
}

function fitHeight(field: HTMLTextAreaElement | null): void {
  if (!field) return;
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, window.innerHeight * 0.4)}px`;
}
