import { useEffect, useRef } from "react";
import { isBoolean, remembered, useRemembered } from "./remembered";

export const SHORTCUTS: readonly { keys: string; does: string }[] = [
  { keys: "/", does: "to the question field" },
  { keys: "Enter", does: "send; with Shift a new line" },
  { keys: "Esc", does: "stop the answer; close what is open" },
  { keys: "n", does: "new chat" },
  { keys: "s", does: "search conversations" },
  { keys: "t", does: "show or hide the trace" },
  { keys: "?", does: "this list" },
  { keys: "↑ ↓", does: "through the conversations, once one has the focus" },
  { keys: "← →", does: "through the tokens of a tinted answer" },
];

const NAME = "shortcuts";

/** Keys without a modifier can get in the way of speech input and slips, so they can be turned off. */
export function useShortcutsOn(): [boolean, (on: boolean) => void] {
  return useRemembered(NAME, isBoolean, true);
}

/** A key of the whole page; while something is typed only Escape counts. */
export function useShortcut(key: string, act: () => void): void {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key !== key || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (key !== "Escape" && (typing(event.target) || !remembered(NAME, isBoolean, true))) return;
      if (document.querySelector("dialog[open]")) return;
      event.preventDefault();
      latest.current();
    };
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, [key]);
}

function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
