/** A conversation: its turns, the composer, and the trace beside it. */

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { AnswerOptions, Me, Offer, Turn } from "../api/types";
import { Icon } from "../shell/icons";
import { Notice } from "../shell/notice";
import { useRemembered } from "../shell/remembered";
import { useShortcut } from "../shell/shortcuts";
import { TracePanel } from "../trace/trace-panel";
import { Announcer } from "./announcer";
import { Composer } from "./composer";
import { Controls } from "./controls";
import { EmptyThread } from "./empty";
import { isOptions } from "./options";
import { pathOf } from "./tree";
import { TurnList } from "./turn-list";
import { useDraft } from "./use-draft";
import { useLatest, useStableActions } from "./use-stable";
import { useStick } from "./use-stick";
import { useThread } from "./use-thread";
import { useTracePanel } from "./use-trace-panel";

interface ThreadPageProps {
  id: string | null;
  /** Its title in the list, which hears of new names first; "" where it is not listed. */
  listedTitle: string;
  me: Me;
  offers: readonly Offer[];
  listChanged: () => void;
  openList: () => void;
}

const NO_OPTIONS: AnswerOptions = {};

export function ThreadPage({ id, listedTitle, me, offers, listChanged, openList }: ThreadPageProps) {
  const thread = useThread(id, listChanged);
  const path = useMemo(() => pathOf(thread.turns, thread.choices), [thread.turns, thread.choices]);
  const last = path.at(-1)?.turn ?? null;
  const running = last?.status === "running" ? last : null;

  const [options, setOptions] = useRemembered("options", isOptions, NO_OPTIONS);
  const [draft, setDraft] = useDraft(id);
  const field = useRef<HTMLTextAreaElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const stick = useStick(box, content, id ?? "");
  const panel = useTracePanel(last);
  const [comparing, setComparing] = useState<string | null>(null);
  const closeComparison = useCallback(() => setComparing(null), []);

  const ask = useCallback(
    async (parent: string | null, text: string, how: AnswerOptions): Promise<boolean> => {
      stick.toEnd();
      panel.followLast();
      return thread.send(parent, text, how);
    },
    [stick, panel, thread],
  );
  const send = async (): Promise<void> => {
    const text = draft.trim();
    if (!text || running || thread.sending) return;
    setDraft("");
    // A question that never got an answer is asked anew beside it.
    const parent = last?.role === "user" ? last.parent : (last?.id ?? null);
    if (!(await ask(parent, text, options))) setDraft(text);
    field.current?.focus();
  };
  const stop = running ? () => void thread.stop(running) : null;

  useShortcut("/", () => field.current?.focus());
  useShortcut("t", panel.toggle);
  useShortcut("Escape", () => stop?.());
  // biome-ignore lint/correctness/useExhaustiveDependencies: a conversation that is opened is there to be gone on with
  useEffect(() => {
    if (matchMedia("(hover: hover)").matches) field.current?.focus();
  }, [id]);

  const actions = useStableActions({
    show: thread.show,
    again: async (turn, how) => {
      const added = await thread.again(turn.parent ?? "", how);
      if (added) setComparing(turn.parent);
    },
    compare: (turn) => setComparing(turn.parent),
    rate: thread.rate,
    settle: thread.settle,
    refresh: thread.refresh,
    openTrace: panel.open,
    reply: (turn, choice) => void ask(turn.id, choice, options),
  });
  const edit = useLatest((turn: Turn, text: string) => ask(turn.parent, text, options));
  const title = listedTitle || thread.title || (path.length ? "Untitled" : "New chat");
  useEffect(() => {
    document.title = path.length ? `${title} · Tandem` : "Tandem";
  }, [title, path.length]);

  return (
    <div className={panel.shown ? "page with-trace" : "page"}>
      <main className="thread">
        <header className="page-head">
          <button type="button" className="icon-button only-narrow" onClick={openList} aria-label="Open the list">
            <Icon name="menu" />
          </button>
          <h1>{title}</h1>
          <button
            type="button"
            className="button small quiet"
            aria-pressed={panel.shown}
            onClick={panel.toggle}
            title="Trace (t)"
          >
            <Icon name="trace" /> Trace
          </button>
        </header>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the conversation scrolls by keyboard */}
        <div className="thread-scroll" ref={box} tabIndex={0} role="log" aria-live="off" aria-label="Conversation">
          <div className={comparing ? "thread-content comparing" : "thread-content"} ref={content}>
            {path.length > 0 && (
              <TurnList
                path={path}
                tracing={panel.shown ? (panel.turnOf(path)?.id ?? null) : null}
                comparing={comparing}
                closeComparison={closeComparison}
                offers={offers}
                actions={actions}
                edit={edit}
              />
            )}
            {!path.length && !thread.loading && !thread.problem && (
              <EmptyThread
                me={me}
                choose={(question) => {
                  setDraft(question);
                  field.current?.focus();
                }}
              />
            )}
            {thread.loading && !path.length && <p className="loading">Opening…</p>}
          </div>
        </div>
        <div className="thread-foot">
          {stick.away && (
            <button type="button" className="to-end" onClick={stick.toEnd} aria-label="To the end" title="To the end">
              <Icon name="down" />
            </button>
          )}
          {thread.problem && (
            <Notice
              onClose={thread.dismiss}
              {...(thread.problem.again ? { action: { label: "Try again", act: thread.problem.again } } : {})}
            >
              {thread.problem.message}
            </Notice>
          )}
          <Composer
            field={field}
            value={draft}
            change={setDraft}
            send={() => void send()}
            stop={stop}
            sending={thread.sending}
            placeholder={last?.status === "needs_input" ? "Answer the question above" : "Ask anything"}
            controls={<Controls options={options} change={setOptions} offers={offers} />}
          />
        </div>
        <Announcer turn={last} />
      </main>
      {panel.shown && <TracePanel turn={panel.turnOf(path)} me={me} close={panel.toggle} />}
    </div>
  );
}
