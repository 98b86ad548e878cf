/** Keeps a growing page at its end as long as the reader is there. */

import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

const NEAR_PIXELS = 60;

export interface Stick {
  away: boolean;
  toEnd: () => void;
}

export function useStick(
  box: RefObject<HTMLElement | null>,
  content: RefObject<HTMLElement | null>,
  key: string,
): Stick {
  const sticking = useRef(true);
  const [away, setAway] = useState(false);

  const toEnd = useCallback(() => {
    sticking.current = true;
    setAway(false);
    const shown = box.current;
    if (shown) shown.scrollTop = shown.scrollHeight;
  }, [box]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another conversation starts at its end again
  useEffect(() => {
    const shown = box.current;
    const inside = content.current;
    if (!shown || !inside) return;
    let last = shown.scrollTop;
    const scrolled = (): void => {
      const near = shown.scrollHeight - shown.scrollTop - shown.clientHeight < NEAR_PIXELS;
      // Content that grows moves the end away without the reader having gone up.
      if (near) sticking.current = true;
      else if (shown.scrollTop < last - 2) sticking.current = false;
      last = shown.scrollTop;
      setAway(!sticking.current);
    };
    const grown = new ResizeObserver(() => {
      if (sticking.current) shown.scrollTop = shown.scrollHeight;
    });
    toEnd();
    grown.observe(inside);
    grown.observe(shown);
    shown.addEventListener("scroll", scrolled, { passive: true });
    return () => {
      grown.disconnect();
      shown.removeEventListener("scroll", scrolled);
    };
  }, [box, content, toEnd, key]);

  return { away, toEnd };
}
