/** Light, dark, or as the system has it; remembered in this browser. */

import { useEffect, useState } from "react";
import { remembered, useRemembered } from "./remembered";

export type Theme = "system" | "light" | "dark";

const NAME = "theme";
const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

function isTheme(value: unknown): value is Theme {
  return value === "system" || value === "light" || value === "dark";
}

/** Before the first drawing, so that nothing flashes. */
export function applyRememberedTheme(): void {
  apply(remembered(NAME, isTheme, "system"));
}

function apply(theme: Theme): void {
  if (theme === "system") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset["theme"] = theme;
}

export function useTheme(): { theme: Theme; change: () => void } {
  const [theme, setTheme] = useRemembered(NAME, isTheme, "system");
  useEffect(() => apply(theme), [theme]);
  return { theme, change: () => setTheme(NEXT[theme]) };
}

/** Whether the media query holds, as it changes. */
export function useMedia(media: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(media).matches);
  useEffect(() => {
    const list = matchMedia(media);
    const changed = (): void => setHolds(list.matches);
    list.addEventListener("change", changed);
    changed();
    return () => list.removeEventListener("change", changed);
  }, [media]);
  return holds;
}
