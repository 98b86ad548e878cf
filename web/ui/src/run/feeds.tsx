/** The page's feeds: one for each run that is looked at, kept for a while after. */

import { createContext, type ReactNode, useContext, useState, useSyncExternalStore } from "react";
import { RunFeed } from "./feed";

const KEPT = 40;

export class Feeds {
  private readonly feeds = new Map<string, RunFeed>();

  of(run: string): RunFeed {
    const known = this.feeds.get(run);
    if (known) return known;
    this.makeRoom();
    const feed = new RunFeed(run);
    this.feeds.set(run, feed);
    return feed;
  }

  private makeRoom(): void {
    for (const [run, feed] of this.feeds) {
      if (this.feeds.size < KEPT) return;
      if (!feed.heard) this.feeds.delete(run);
    }
  }
}

const FeedsContext = createContext<Feeds | null>(null);

export function FeedsProvider({ children }: { children: ReactNode }) {
  const [feeds] = useState(() => new Feeds());
  return <FeedsContext value={feeds}>{children}</FeedsContext>;
}

const silent = (): (() => void) => () => undefined;
const zero = (): number => 0;

/** The feed of a run, drawn again whenever it changes; null where there is no run to follow. */
export function useFeed(run: string | null): RunFeed | null {
  const feeds = useContext(FeedsContext);
  if (!feeds) throw new Error("useFeed needs a FeedsProvider above it");
  const feed = run === null ? null : feeds.of(run);
  useSyncExternalStore(feed?.subscribe ?? silent, feed?.snapshot ?? zero);
  return feed;
}
