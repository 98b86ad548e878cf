/** Tells the other tabs of this browser that something changed, and hears it from them. */

import { useEffect, useRef } from "react";

export type News = { about: "conversations" } | { about: "thread"; conversation: string };

const CHANNEL = "tandem";

interface Letter {
  /** When the sending page began to load, to the microsecond: its name among the tabs. */
  from: number;
  news: News;
}

export function tell(news: News): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage({ from: performance.timeOrigin, news } satisfies Letter);
  channel.close();
}

export function useNews(heard: (news: News) => void): void {
  const latest = useRef(heard);
  useEffect(() => {
    latest.current = heard;
  });
  useEffect(() => {
    const channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = ({ data }: MessageEvent<Letter>) => {
      if (data.from !== performance.timeOrigin) latest.current(data.news);
    };
    return () => channel.close();
  }, []);
}
