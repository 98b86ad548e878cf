import { useState } from "react";

/** What was typed and not sent, kept for this tab by conversation, so that a reload loses nothing. */
export function useDraft(conversation: string | null): [string, (text: string) => void] {
  const name = `tandem.draft.${conversation ?? ""}`;
  const [kept, setKept] = useState({ name, text: stored(name) });
  const text = kept.name === name ? kept.text : stored(name);
  const change = (next: string): void => {
    setKept({ name, text: next });
    store(name, next);
  };
  return [text, change];
}

function stored(name: string): string {
  try {
    return sessionStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

function store(name: string, text: string): void {
  try {
    if (text) sessionStorage.setItem(name, text);
    else sessionStorage.removeItem(name);
  } catch {
    // A browser that keeps nothing keeps no drafts either.
  }
}
