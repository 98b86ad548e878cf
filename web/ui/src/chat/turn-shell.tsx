/** A conversation of thousands of turns opens and scrolls at once, and the browser's own search finds all of it.
 *
 * Turns come in chunks whose layout the browser leaves out while they are far away. A turn is drawn in full when it
 * comes near; until then it is its bare text, which costs next to nothing.
 */

import { createContext, memo, type ReactNode, startTransition, useContext, useEffect, useRef, useState } from "react";
import type { Turn } from "../api/types";
import { Nearness } from "./nearness";

const NearnessContext = createContext<Nearness | null>(null);
/** Whether the chunk around a turn is near: only then is the turn itself worth watching. */
const ChunkContext = createContext(false);

export function NearnessProvider({ children }: { children: ReactNode }) {
  const [nearness] = useState(() => new Nearness());
  return <NearnessContext value={nearness}>{children}</NearnessContext>;
}

/** `start`: near before anything was observed, as the end of a conversation is. */
export function TurnChunk({ start, children }: { start: boolean; children: ReactNode }) {
  const nearness = useContext(NearnessContext);
  const element = useRef<HTMLDivElement>(null);
  const [near, setNear] = useState(start);
  useEffect(() => {
    if (!element.current || !nearness) return;
    return nearness.watch(element.current, (is) => startTransition(() => setNear(is)));
  }, [nearness]);
  return (
    <ChunkContext value={near}>
      <div ref={element} className={near ? "chunk" : "chunk far"}>
        {children}
      </div>
    </ChunkContext>
  );
}

interface TurnShellProps {
  turn: Turn;
  /** Drawn in full from the start. */
  near: boolean;
  children: ReactNode;
}

export const TurnShell = memo(function TurnShell({ turn, near, children }: TurnShellProps) {
  const nearness = useContext(NearnessContext);
  const chunkNear = useContext(ChunkContext);
  const element = useRef<HTMLElement>(null);
  const [reached, setReached] = useState(near);
  const full = near || reached;
  useEffect(() => {
    if (full || !chunkNear || !element.current || !nearness) return;
    // A transition: drawing a few turns must not hold up the scrolling that brought them near.
    return nearness.watch(element.current, (is) => is && startTransition(() => setReached(true)));
  }, [full, chunkNear, nearness]);
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
});
