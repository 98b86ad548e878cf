import { type FormEvent, useState } from "react";
import { exportAddress } from "../api/client";
import type { Conversation } from "../api/types";
import { when } from "../shell/format";
import { Icon } from "../shell/icons";
import { Menu } from "../shell/menu";
import { addressOf } from "../shell/route";

interface ConversationItemProps {
  conversation: Conversation;
  here: boolean;
  rename: (title: string) => Promise<void>;
  remove: () => void;
  close: () => void;
}

export function ConversationItem({ conversation, here, rename, remove, close }: ConversationItemProps) {
  const [editing, setEditing] = useState(false);
  const title = conversation.title || "Untitled";

  if (editing) {
    return (
      <li>
        <TitleForm title={conversation.title} save={rename} done={() => setEditing(false)} />
      </li>
    );
  }
  return (
    <li className={here ? "here" : undefined}>
      <a
        className="conversation"
        href={addressOf(conversation.id)}
        aria-current={here ? "page" : undefined}
        title={`${title} (${when(conversation.updated, Date.now() / 1000)})`}
        onClick={close}
      >
        <span className="conversation-title">{title}</span>
      </a>
      <Menu
        label={`Actions for ${title}`}
        button={<Icon name="more" />}
        entries={[
          { label: "Rename", act: () => setEditing(true) },
          { label: "Export as Markdown", href: exportAddress(conversation.id, "markdown") },
          { label: "Export as JSON", href: exportAddress(conversation.id, "json") },
          { label: "Delete", danger: true, act: remove },
        ]}
      />
    </li>
  );
}

interface TitleFormProps {
  title: string;
  save: (title: string) => Promise<void>;
  done: () => void;
}

function TitleForm({ title, save, done }: TitleFormProps) {
  const [value, setValue] = useState(title);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const wanted = value.trim();
    if (wanted && wanted !== title) await save(wanted);
    done();
  };
  return (
    <form className="title-form" onSubmit={(event) => void submit(event)}>
      <input
        // biome-ignore lint/a11y/noAutofocus: it appears because the reader asked to type here
        autoFocus
        aria-label="Title"
        maxLength={200}
        value={value}
        onChange={(event) => setValue(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && done()}
        onBlur={(event) => event.currentTarget.form?.requestSubmit()}
      />
    </form>
  );
}
