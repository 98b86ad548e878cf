import { useCallback, useEffect, useState } from "react";
import { me, offers } from "../api/client";
import { ApiError, LOGGED_OUT, messageOf } from "../api/http";
import type { Me, Offer } from "../api/types";

type Session =
  | { state: "asking" }
  | { state: "stranger" }
  | { state: "unreachable"; message: string }
  | { state: "known"; me: Me };

/** Who is logged in; asks again by itself while the gateway is away. */
export function useSession(): Session & { again: () => void; enter: (me: Me) => void; leave: () => void } {
  const [session, setSession] = useState<Session>({ state: "asking" });
  const again = useCallback(async () => {
    try {
      setSession({ state: "known", me: await me() });
    } catch (error) {
      const unknown = error instanceof ApiError && error.status === 401;
      setSession(unknown ? { state: "stranger" } : { state: "unreachable", message: messageOf(error) });
    }
  }, []);
  useEffect(() => void again(), [again]);
  useEffect(() => {
    if (session.state !== "unreachable") return;
    const timer = setTimeout(() => void again(), 3000);
    return () => clearTimeout(timer);
  }, [session, again]);
  useEffect(() => {
    const loggedOut = (): void => setSession({ state: "stranger" });
    window.addEventListener(LOGGED_OUT, loggedOut);
    return () => window.removeEventListener(LOGGED_OUT, loggedOut);
  }, []);
  return {
    ...session,
    again: () => void again(),
    enter: (who) => setSession({ state: "known", me: who }),
    leave: () => setSession({ state: "stranger" }),
  };
}

/** What may be asked for by name; empty until it is known. */
export function useOffers(): readonly Offer[] {
  const [known, setKnown] = useState<readonly Offer[]>([]);
  useEffect(() => {
    let wanted = true;
    offers().then(
      (found) => wanted && setKnown(found),
      // Without the names the router still chooses; the next load asks again.
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, []);
  return known;
}
