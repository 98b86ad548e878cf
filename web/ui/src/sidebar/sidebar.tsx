/** Conversations, the other pages, the look, and who is logged in. */

import { type KeyboardEvent, type RefObject, useRef, useState } from "react";
import type { Me } from "../api/types";
import { Dialog } from "../shell/dialog";
import { Icon, type IconName } from "../shell/icons";
import { moveFocus } from "../shell/menu";
import { Notice } from "../shell/notice";
import { go, type Place } from "../shell/route";
import type { Theme } from "../shell/theme";
import { ConversationItem } from "./conversation-item";
import type { Conversations } from "./use-conversations";

interface SidebarProps {
  me: Me;
  place: Place;
  conversations: Conversations;
  searchField: RefObject<HTMLInputElement | null>;
  theme: Theme;
  changeTheme: () => void;
  showKeys: () => void;
  logOut: () => void;
  /** On a phone the list covers the page; choosing something takes it away. */
  close: () => void;
}

const THEMES: Record<Theme, { icon: IconName; label: string }> = {
  system: { icon: "auto", label: "Look: as the system" },
  light: { icon: "sun", label: "Look: light" },
  dark: { icon: "moon", label: "Look: dark" },
};

export function Sidebar(props: SidebarProps) {
  const { me, place, theme } = props;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    props.close();
  };
  return (
    <nav className="sidebar" aria-label="Conversations and pages" onKeyDown={onKeyDown}>
      <div className="sidebar-head">
        <a className="brand" href="#/" onClick={props.close}>
          <img src="/icon.svg" alt="" width="24" height="24" />
          Tandem
        </a>
        <button type="button" className="icon-button only-narrow" aria-label="Close the list" onClick={props.close}>
          <Icon name="cross" />
        </button>
      </div>
      <a className="button new-chat" href="#/" onClick={props.close}>
        <Icon name="plus" /> New chat
      </a>
      <ConversationList {...props} />
      <div className="sidebar-foot">
        <PageLink href="#/dashboard" icon="chart" label="Dashboard" here={place.page === "dashboard"} {...props} />
        <PageLink href="#/playbook" icon="book" label="Playbook" here={place.page === "playbook"} {...props} />
        <div className="sidebar-tools">
          <span className="owner" title={me.single_user ? "Only this machine is served" : `Logged in as ${me.owner}`}>
            {me.single_user ? "This machine" : me.owner}
          </span>
          <button
            type="button"
            className="icon-button"
            onClick={props.showKeys}
            aria-label="Keyboard"
            title="Keyboard (?)"
          >
            <Icon name="keyboard" />
          </button>
          <button
            type="button"
            className="icon-button"
            onClick={props.changeTheme}
            aria-label={THEMES[theme].label}
            title={THEMES[theme].label}
          >
            <Icon name={THEMES[theme].icon} />
          </button>
          {!me.single_user && (
            <button type="button" className="icon-button" onClick={props.logOut} aria-label="Log out" title="Log out">
              <Icon name="leave" />
            </button>
          )}
        </div>
      </div>
    </nav>
  );
}

interface PageLinkProps {
  href: string;
  icon: IconName;
  label: string;
  here: boolean;
  close: () => void;
}

function PageLink({ href, icon, label, here, close }: PageLinkProps) {
  return (
    <a className="page-link" href={href} aria-current={here ? "page" : undefined} onClick={close}>
      <Icon name={icon} /> {label}
    </a>
  );
}

function ConversationList({ conversations, place, searchField, close }: SidebarProps) {
  const list = useRef<HTMLUListElement>(null);
  const [leaving, setLeaving] = useState<{ id: string; title: string } | null>(null);
  const open = place.page === "chat" ? place.conversation : null;
  const { items, search } = conversations;

  const onKeyDown = (event: KeyboardEvent): void => {
    const links = list.current ? [...list.current.querySelectorAll<HTMLElement>("a.conversation")] : [];
    if (event.key.startsWith("Arrow") && moveFocus(links, event.key)) event.preventDefault();
  };
  const remove = async (id: string): Promise<void> => {
    setLeaving(null);
    if ((await conversations.remove(id)) && id === open) go("#/");
  };

  return (
    <>
      <label className="search">
        <Icon name="search" />
        <span className="visually-hidden">Search conversations</span>
        <input
          ref={searchField}
          type="search"
          placeholder="Search"
          value={search}
          onChange={(event) => conversations.setSearch(event.target.value)}
        />
      </label>
      <div className="conversation-list">
        {conversations.problem && (
          <Notice action={{ label: "Try again", act: conversations.reload }}>{conversations.problem}</Notice>
        )}
        {items?.length === 0 && (
          <p className="empty-list">
            {search ? `No conversation holds “${search}”.` : "Your conversations will be listed here."}
          </p>
        )}
        <ul ref={list} onKeyDown={onKeyDown}>
          {items?.map((conversation) => (
            <ConversationItem
              key={conversation.id}
              conversation={conversation}
              here={conversation.id === open}
              rename={(title) => conversations.rename(conversation.id, title)}
              remove={() => setLeaving(conversation)}
              close={close}
            />
          ))}
        </ul>
        {conversations.more && (
          <button type="button" className="button small quiet" onClick={conversations.more}>
            Show older
          </button>
        )}
      </div>
      {leaving && (
        <Dialog title="Delete this conversation?" onClose={() => setLeaving(null)}>
          <p>“{leaving.title || "Untitled"}” and all of its answers will be gone for good.</p>
          <div className="dialog-actions">
            <button type="button" className="button quiet" onClick={() => setLeaving(null)}>
              Keep it
            </button>
            <button type="button" className="button danger" onClick={() => void remove(leaving.id)}>
              Delete
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
