import { useEffect } from "react";
import type { Turn } from "../api/types";
import type { RunFeed } from "../run/feed";
import type { Outcome } from "./use-thread";

interface Settling {
  settle: (turn: string, outcome: Outcome) => void;
  refresh: () => Promise<void>;
}

/** A turn that runs takes over its run's end as soon as that is known. */
export function useSettle(turn: Turn, feed: RunFeed | null, { settle, refresh }: Settling): void {
  const finished = feed?.trace.finished ?? null;
  const gone = feed?.connection === "gone";
  const running = turn.status === "running";
  useEffect(() => {
    if (!running) return;
    if (finished) {
      const { status, text, route, error } = finished;
      settle(turn.id, { status, text: feed?.trace.content || text, route, error });
    } else if (gone) void refresh();
  }, [running, finished, gone, turn.id, feed, settle, refresh]);
}
