/** Tells the other tabs of this browser that something changed, and hears it from them. */

import { useEffect, useRef } from "react";

export type News = { about: "conversations" } | { about: "thread"; conversation: string };

const CHANNEL = "tandem";

export function tell(news: News): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(news);
  channel.close();
}

export function useNews(heard: (news: News) => void): void {
  const latest = useRef(heard);
  useEffect(() => {
    latest.current = heard;
  });
  useEffect(() => {
    const channel = new BroadcastChannel(CHANNEL);
    channel.onmessage = (event: MessageEvent<News>) => latest.current(event.data);
    return () => channel.close();
  }, []);
}
