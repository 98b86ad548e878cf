import { useEffect, useState } from "react";
import { Icon } from "./icons";

/** Copies `text`, and says for a moment whether that worked. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [outcome, setOutcome] = useState<"copied" | "failed" | null>(null);
  useEffect(() => {
    if (!outcome) return;
    const timer = setTimeout(() => setOutcome(null), 1600);
    return () => clearTimeout(timer);
  }, [outcome]);

  const copy = async (): Promise<void> => {
    setOutcome((await copied(text)) ? "copied" : "failed");
  };
  const said = outcome === "copied" ? "Copied" : outcome === "failed" ? "Not copied: select the text instead" : label;
  return (
    <button type="button" className="icon-button" onClick={copy} aria-label={said} title={said}>
      <Icon name={outcome === "copied" ? "check" : outcome === "failed" ? "cross" : "copy"} />
    </button>
  );
}

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Plain http on another host has no clipboard; the old way needs no permission.
    return copiedBySelection(text);
  }
}

function copiedBySelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
