/** Where in the application the address leads: `#/`, `#/c/ID`, `#/dashboard`, `#/playbook`. */

import { useSyncExternalStore } from "react";

export type Place = { page: "chat"; conversation: string | null } | { page: "dashboard" } | { page: "playbook" };

export function placeIn(hash: string): Place {
  const [page, id] = hash.replace(/^#\/?/, "").split("/");
  if (page === "dashboard" || page === "playbook") return { page };
  return { page: "chat", conversation: page === "c" && id ? decodeURIComponent(id) : null };
}

export const addressOf = (conversation: string): string => `#/c/${encodeURIComponent(conversation)}`;

export function go(hash: string): void {
  location.hash = hash;
}

function listen(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}

export function usePlace(): Place {
  return placeIn(useSyncExternalStore(listen, () => location.hash));
}
