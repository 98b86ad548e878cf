/** Who is there, and which page is shown. */

import { lazy, Suspense, useRef, useState } from "react";
import { logOut } from "./api/client";
import type { Me } from "./api/types";
import { ThreadPage } from "./chat/thread-page";
import { Login } from "./login/login";
import { FeedsProvider } from "./run/feeds";
import { Boundary } from "./shell/boundary";
import { Connectivity } from "./shell/connectivity";
import { KeysDialog } from "./shell/keys-dialog";
import { go, usePlace } from "./shell/route";
import { useShortcut } from "./shell/shortcuts";
import { useTheme } from "./shell/theme";
import { Unreachable } from "./shell/unreachable";
import { useOffers, useSession } from "./shell/use-session";
import { Sidebar } from "./sidebar/sidebar";
import { useConversations } from "./sidebar/use-conversations";

const Dashboard = lazy(() => import("./dashboard/dashboard").then((module) => ({ default: module.DashboardPage })));
const Playbook = lazy(() => import("./playbook/playbook").then((module) => ({ default: module.PlaybookPage })));

export function App() {
  const session = useSession();
  switch (session.state) {
    case "asking":
      return <div className="splash" role="status" aria-label="Loading" />;
    case "unreachable":
      return <Unreachable message={session.message} again={session.again} />;
    case "stranger":
      return <Login loggedIn={session.enter} />;
    case "known":
      return (
        <Boundary>
          <FeedsProvider key={session.me.owner}>
            <Frame me={session.me} left={session.leave} />
          </FeedsProvider>
        </Boundary>
      );
  }
}

function Frame({ me, left }: { me: Me; left: () => void }) {
  const place = usePlace();
  const offers = useOffers();
  const conversations = useConversations();
  const { theme, change } = useTheme();
  const [listOpen, setListOpen] = useState(false);
  const [keysOpen, setKeysOpen] = useState(false);
  const searchField = useRef<HTMLInputElement>(null);

  useShortcut("n", () => go("#/"));
  useShortcut("?", () => setKeysOpen(true));
  useShortcut("s", () => {
    setListOpen(true);
    searchField.current?.focus();
  });
  const leave = async (): Promise<void> => {
    // Whatever the server says to that, this page forgets who was there.
    await logOut().catch(() => undefined);
    left();
  };
  const openList = (): void => setListOpen(true);

  return (
    <div className={listOpen ? "frame list-open" : "frame"}>
      <a className="skip" href="#content" onClick={(event) => skip(event)}>
        Skip to the content
      </a>
      <Sidebar
        me={me}
        place={place}
        conversations={conversations}
        searchField={searchField}
        theme={theme}
        changeTheme={change}
        showKeys={() => setKeysOpen(true)}
        logOut={() => void leave()}
        close={() => setListOpen(false)}
      />
      {listOpen && (
        <button type="button" className="shade" aria-label="Close the list" onClick={() => setListOpen(false)} />
      )}
      <div className="content" id="content" tabIndex={-1}>
        <Connectivity />
        <Suspense fallback={<p className="loading">Opening…</p>}>
          {place.page === "dashboard" && <Dashboard openList={openList} />}
          {place.page === "playbook" && <Playbook openList={openList} />}
          {place.page === "chat" && (
            <ThreadPage
              id={place.conversation}
              listedTitle={conversations.items?.find((one) => one.id === place.conversation)?.title ?? ""}
              me={me}
              offers={offers}
              listChanged={conversations.reload}
              openList={openList}
            />
          )}
        </Suspense>
      </div>
      {keysOpen && <KeysDialog close={() => setKeysOpen(false)} />}
    </div>
  );
}

/** The address holds the page, so the link must not change it. */
function skip(event: { preventDefault: () => void }): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}
