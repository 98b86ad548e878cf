/** A turn that is drawn in full when it comes near the screen; until then it is its bare text, which costs next to
 * nothing: a conversation of thousands of turns opens and scrolls at once, and can be searched with the browser's own
 * search. */

import { createContext, type ReactNode, startTransition, useContext, useEffect, useRef, useState } from "react";
import type { Turn } from "../api/types";

export class Nearness {
  private readonly observer: IntersectionObserver | null;
  private readonly calls = new Map<Element, () => void>();

  constructor() {
    this.observer =
      typeof IntersectionObserver === "undefined"
        ? null
        : new IntersectionObserver((entries) => this.seen(entries), { rootMargin: "1200px 0px" });
  }

  watch(element: Element, near: () => void): () => void {
    if (!this.observer) {
      near();
      return () => undefined;
    }
    this.calls.set(element, near);
    this.observer.observe(element);
    return () => this.forget(element);
  }

  private seen(entries: readonly IntersectionObserverEntry[]): void {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      const near = this.calls.get(entry.target);
      this.forget(entry.target);
      near?.();
    }
  }

  private forget(element: Element): void {
    this.calls.delete(element);
    this.observer?.unobserve(element);
  }
}

const NearnessContext = createContext<Nearness | null>(null);

export function NearnessProvider({ children }: { children: ReactNode }) {
  const [nearness] = useState(() => new Nearness());
  return <NearnessContext value={nearness}>{children}</NearnessContext>;
}

interface TurnShellProps {
  turn: Turn;
  /** Drawn in full from the start. */
  near: boolean;
  children: ReactNode;
}

export function TurnShell({ turn, near, children }: TurnShellProps) {
  const nearness = useContext(NearnessContext);
  const element = useRef<HTMLElement>(null);
  const [reached, setReached] = useState(near);
  const full = near || reached;
  useEffect(() => {
    if (full || !element.current || !nearness) return;
    // A transition: drawing a few turns must not hold up the scrolling that brought them near.
    return nearness.watch(element.current, () => startTransition(() => setReached(true)));
  }, [full, nearness]);
  return (
    <article
      ref={element}
      className={`turn turn-${turn.role}`}
      data-turn={turn.id}
      aria-label={turn.role === "user" ? "You" : "Tandem"}
    >
      {full ? children : <div className="turn-bare">{turn.content}</div>}
    </article>
  );
}
