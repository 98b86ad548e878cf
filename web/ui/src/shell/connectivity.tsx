import { useSyncExternalStore } from "react";
import { Icon } from "./icons";

function listen(changed: () => void): () => void {
  window.addEventListener("online", changed);
  window.addEventListener("offline", changed);
  return () => {
    window.removeEventListener("online", changed);
    window.removeEventListener("offline", changed);
  };
}

/** Says so when this device is offline – unless the gateway runs on this very device. */
export function Connectivity() {
  const online = useSyncExternalStore(listen, () => navigator.onLine || isThisMachine(location.hostname));
  if (online) return null;
  return (
    <div className="offline" role="alert">
      <Icon name="warning" />
      You are offline. Check this device’s network: what is here stays, and answers go on where they were as soon as it
      is back.
    </div>
  );
}

function isThisMachine(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}
