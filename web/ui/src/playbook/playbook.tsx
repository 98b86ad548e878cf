/** What the server has learned. Servers without a playbook say so. */

import { useCallback, useEffect, useState } from "react";
import { ApiError, messageOf } from "../api/http";
import { Icon } from "../shell/icons";
import { Notice } from "../shell/notice";
import { PageHead } from "../shell/page-head";
import { changeEntry, type Entry, entryTitle, listEntries } from "./entries";

type State =
  | { kind: "asking" }
  | { kind: "none" }
  | { kind: "entries"; entries: Entry[] }
  | { kind: "problem"; message: string };

export function PlaybookPage({ openList }: { openList: () => void }) {
  const [state, setState] = useState<State>({ kind: "asking" });
  const load = useCallback(async () => {
    try {
      setState({ kind: "entries", entries: await listEntries() });
    } catch (error) {
      const none = error instanceof ApiError && error.status === 404;
      setState(none ? { kind: "none" } : { kind: "problem", message: messageOf(error) });
    }
  }, []);
  useEffect(() => {
    document.title = "Playbook · Tandem";
    void load();
  }, [load]);

  return (
    <main className="sheet">
      <PageHead title="Playbook" openList={openList} />
      <div className="sheet-body">
        {state.kind === "asking" && <p className="loading">Opening…</p>}
        {state.kind === "problem" && (
          <Notice action={{ label: "Try again", act: () => void load() }}>{state.message}</Notice>
        )}
        {state.kind === "none" && (
          <div className="empty-sheet">
            <Icon name="book" />
            <h2>No playbook on this server</h2>
            <p>
              A playbook keeps the ways of solving that proved themselves, each with its evidence. This server does not
              keep one, so every question starts from the same routes.
            </p>
          </div>
        )}
        {state.kind === "entries" && <Entries entries={state.entries} reload={() => void load()} />}
      </div>
    </main>
  );
}

function Entries({ entries, reload }: { entries: readonly Entry[]; reload: () => void }) {
  if (!entries.length) {
    return (
      <div className="empty-sheet">
        <Icon name="book" />
        <h2>Nothing learned yet</h2>
        <p>An entry is promoted when it beats the default on enough outcomes. Ask, and say which answers were good.</p>
      </div>
    );
  }
  return (
    <ul className="entries">
      {entries.map((entry) => (
        <EntryCard key={entry.id} entry={entry} reload={reload} />
      ))}
    </ul>
  );
}

function EntryCard({ entry, reload }: { entry: Entry; reload: () => void }) {
  const [problem, setProblem] = useState<string | null>(null);
  const change = (fields: Partial<Pick<Entry, "pinned" | "disabled">>) => async () => {
    try {
      await changeEntry(entry.id, fields);
      reload();
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <li className="card">
      <header>
        <h2>{entryTitle(entry)}</h2>
        {entry.kind && <span className="chip">{entry.kind}</span>}
      </header>
      {entry.instruction && <p>{entry.instruction}</p>}
      {entry.trials !== undefined && (
        <p className="reason">{`${entry.wins ?? 0} of ${entry.trials} outcomes were good`}</p>
      )}
      {problem && <Notice onClose={() => setProblem(null)}>{problem}</Notice>}
      <div className="dialog-actions">
        <button
          type="button"
          className="button small quiet"
          aria-pressed={entry.pinned ?? false}
          onClick={() => void change({ pinned: !entry.pinned })()}
        >
          {entry.pinned ? "Unpin" : "Pin"}
        </button>
        <button
          type="button"
          className="button small quiet"
          aria-pressed={entry.disabled ?? false}
          onClick={() => void change({ disabled: !entry.disabled })()}
        >
          {entry.disabled ? "Enable" : "Disable"}
        </button>
      </div>
    </li>
  );
}
