/** What the server has learned. Servers without a playbook say so. */

import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError, messageOf } from "../api/http";
import { Icon } from "../shell/icons";
import { Notice } from "../shell/notice";
import { PageHead } from "../shell/page-head";
import { type Entry, type Filters, listEntries } from "./entries";
import { EntryCard } from "./entry-card";

type State =
  | { kind: "asking" }
  | { kind: "none" }
  | { kind: "entries"; entries: Entry[]; next: string | null }
  | { kind: "problem"; message: string };

const EVERYTHING: Filters = { search: "", status: "", kind: "" };
const TYPING_MS = 250;

export function PlaybookPage({ openList }: { openList: () => void }) {
  const [filters, setFilters] = useState(EVERYTHING);
  const [state, setState] = useState<State>({ kind: "asking" });
  /** Answers can overtake each other; only that to the latest question counts. */
  const asked = useRef(0);

  const load = useCallback(async (wanted: Filters, earlier: Entry[] = [], after: string | null = null) => {
    asked.current += 1;
    const mine = asked.current;
    const show = (found: State): void => {
      if (mine === asked.current) setState(found);
    };
    try {
      const page = await listEntries(wanted, after);
      show({ kind: "entries", entries: [...earlier, ...page.data], next: page.next });
    } catch (error) {
      const none = error instanceof ApiError && error.status === 404;
      show(none ? { kind: "none" } : { kind: "problem", message: messageOf(error) });
    }
  }, []);

  useEffect(() => {
    document.title = "Playbook · Tandem";
  }, []);
  useEffect(() => {
    const timer = setTimeout(() => void load(filters), filters.search ? TYPING_MS : 0);
    return () => clearTimeout(timer);
  }, [filters, load]);

  const replace = (change: (entries: Entry[]) => Entry[]): void =>
    setState((now) => (now.kind === "entries" ? { ...now, entries: change(now.entries) } : now));

  return (
    <main className="sheet">
      <PageHead title="Playbook" openList={openList}>
        {state.kind !== "none" && state.kind !== "asking" && <a href="/v1/playbook/export">Export</a>}
      </PageHead>
      <div className="sheet-body">
        {state.kind === "none" ? <NoPlaybook /> : <Search filters={filters} change={setFilters} />}
        {state.kind === "asking" && <p className="loading">Opening…</p>}
        {state.kind === "problem" && (
          <Notice action={{ label: "Try again", act: () => void load(filters) }}>{state.message}</Notice>
        )}
        {state.kind === "entries" && !state.entries.length && (
          <Nothing filtered={filters.search !== "" || filters.status !== "" || filters.kind !== ""} />
        )}
        {state.kind === "entries" && (
          <ul className="entries">
            {state.entries.map((entry) => (
              <EntryCard
                key={entry.id}
                entry={entry}
                changed={(now) => replace((all) => all.map((other) => (other.id === now.id ? now : other)))}
                gone={(lost) => replace((all) => all.filter((other) => other.id !== lost.id))}
              />
            ))}
          </ul>
        )}
        {state.kind === "entries" && state.next && (
          <button type="button" className="button quiet" onClick={() => void load(filters, state.entries, state.next)}>
            Show more
          </button>
        )}
      </div>
    </main>
  );
}

function Search({ filters, change }: { filters: Filters; change: (filters: Filters) => void }) {
  return (
    <search className="entry-search">
      <input
        type="search"
        aria-label="Search the playbook"
        placeholder="A question, or words of one"
        maxLength={2000}
        value={filters.search}
        onChange={(event) => change({ ...filters, search: event.target.value })}
      />
      <select
        aria-label="Kind"
        value={filters.kind}
        onChange={(event) => change({ ...filters, kind: event.target.value as Filters["kind"] })}
      >
        <option value="">entries of every kind</option>
        <option value="recipe">recipes</option>
        <option value="behaviour">behaviours</option>
        <option value="example">examples</option>
      </select>
      <select
        aria-label="State"
        value={filters.status}
        onChange={(event) => change({ ...filters, status: event.target.value as Filters["status"] })}
      >
        <option value="">in any state</option>
        <option value="promoted">in use</option>
        <option value="candidate">being tried</option>
        <option value="demoted">no longer in use</option>
        <option value="disabled">disabled</option>
      </select>
    </search>
  );
}

function NoPlaybook() {
  return (
    <div className="empty-sheet">
      <Icon name="book" />
      <h2>No playbook on this server</h2>
      <p>
        A playbook keeps the ways of solving that proved themselves, each with its evidence. This server does not keep
        one, so every question starts from the same routes.
      </p>
    </div>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  return (
    <div className="empty-sheet">
      <Icon name="book" />
      <h2>{filtered ? "Nothing like that" : "Nothing learned yet"}</h2>
      <p>
        {filtered
          ? "No entry is in that state or about such questions. Choose another state, or clear the search."
          : "An entry is promoted when it beats the default on enough outcomes. Ask, and say which answers were good."}
      </p>
    </div>
  );
}
