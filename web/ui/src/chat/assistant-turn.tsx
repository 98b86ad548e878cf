/** One answer with everything that can be done about it. */

import { memo, useState } from "react";
import type { AnswerOptions, Offer, Rating, Turn } from "../api/types";
import { ShareBar } from "../provenance/share-bar";
import type { RunFeed } from "../run/feed";
import { useFeed } from "../run/feeds";
import { modelsOf, routeLabel } from "../run/route";
import { whyThisModel } from "../run/why";
import { CopyButton } from "../shell/copy-button";
import { seconds, short } from "../shell/format";
import { Icon } from "../shell/icons";
import { AgainMenu } from "./again-menu";
import { AnswerBody, textOf } from "./answer-body";
import { Branches } from "./branches";
import { Feedback } from "./feedback";
import type { Place } from "./tree";
import { useSettle } from "./use-settle";
import type { Outcome } from "./use-thread";

export interface AnswerActions {
  show: (turn: Turn) => void;
  again: (turn: Turn, options: AnswerOptions) => void;
  compare: (turn: Turn) => void;
  rate: (turn: Turn, rating: Rating | 0, reason?: string) => Promise<void>;
  settle: (turn: string, outcome: Outcome) => void;
  refresh: () => Promise<void>;
  openTrace: (turn: Turn) => void;
  reply: (turn: Turn, choice: string) => void;
}

interface AssistantTurnProps {
  place: Place;
  /** The last one of the branch: its trace is followed without being asked for. */
  last: boolean;
  tracing: boolean;
  offers: readonly Offer[];
  actions: AnswerActions;
}

export const AssistantTurn = memo(function AssistantTurn({
  place,
  last,
  tracing,
  offers,
  actions,
}: AssistantTurnProps) {
  const { turn } = place;
  // What was followed once keeps its figures when the conversation goes on.
  const [asked, setAsked] = useState(last || turn.status === "running");
  const [tinted, setTinted] = useState(false);
  const [why, setWhy] = useState(false);
  const follows = turn.status === "running" || last || tracing || asked;
  const feed = useFeed(follows ? turn.run : null);
  useSettle(turn, feed, actions);

  const collaborative = modelsOf(turn.route ?? "").length > 1 || (feed?.trace.written.length ?? 0) > 0;
  const choices = last && turn.status === "needs_input" ? (feed?.trace.question?.choices ?? []) : [];
  return (
    <>
      <AnswerBody turn={turn} feed={feed} tinted={tinted && (feed?.trace.written.length ?? 0) > 0} />
      {tinted && feed && <ShareBar tokens={feed.trace.written} route={turn.route ?? feed.trace.route} />}
      {choices.length > 0 && <QuickReplies choices={choices} reply={(choice) => actions.reply(turn, choice)} />}
      {turn.status !== "running" && (
        <div className="turn-actions">
          <Branches place={place} show={actions.show} label="answer" />
          <CopyButton text={textOf(turn, feed)} label="Copy answer" />
          <AgainMenu turn={turn} offers={offers} again={(options) => actions.again(turn, options)} />
          {place.siblings.length > 1 && (
            <button
              type="button"
              className="icon-button"
              onClick={() => actions.compare(turn)}
              aria-label="Compare side by side"
              title="Compare side by side"
            >
              <Icon name="compare" />
            </button>
          )}
          {collaborative && (
            <button
              type="button"
              className="icon-button"
              aria-pressed={tinted}
              aria-label="Who wrote what"
              title="Who wrote what"
              onClick={() => {
                setAsked(true);
                setTinted(!tinted);
              }}
            >
              <Icon name="tint" />
            </button>
          )}
          {turn.run && <Feedback turn={turn} rate={(rating, reason) => actions.rate(turn, rating, reason)} />}
          <Facts turn={turn} feed={feed} tracing={tracing} openTrace={() => actions.openTrace(turn)} />
          {turn.run && (
            <button
              type="button"
              className="link-button"
              aria-expanded={why}
              onClick={() => {
                setAsked(true);
                setWhy(!why);
              }}
            >
              Why this model?
            </button>
          )}
        </div>
      )}
      {why && <p className="why">{whyText(feed)}</p>}
    </>
  );
});

function whyText(feed: RunFeed | null): string {
  if (!feed) return "Looking…";
  const sentence = whyThisModel(feed.trace);
  if (sentence) return sentence;
  return feed.connection === "gone" ? "The server no longer keeps the events of this run." : "Looking…";
}

interface FactsProps {
  turn: Turn;
  feed: RunFeed | null;
  tracing: boolean;
  openTrace: () => void;
}

/** Route, tokens and seconds in one quiet line, which opens the trace. */
function Facts({ turn, feed, tracing, openTrace }: FactsProps) {
  const route = turn.route ?? feed?.trace.route;
  const ledger = feed?.trace.finished?.ledger;
  const parts = [route && routeLabel(route)];
  if (ledger) {
    const total = Object.values(ledger.tokens).reduce((sum, usage) => sum + usage.prompt + usage.completion, 0);
    parts.push(`${short(total)} tokens`, seconds(ledger.seconds));
  }
  if (!turn.run) return null;
  return (
    <button type="button" className="facts" aria-pressed={tracing} onClick={openTrace} title="Show the trace">
      <Icon name="trace" />
      {parts.filter(Boolean).join(" · ") || "Trace"}
    </button>
  );
}

function QuickReplies({ choices, reply }: { choices: readonly string[]; reply: (choice: string) => void }) {
  return (
    <fieldset className="quick-replies">
      <legend className="visually-hidden">Quick replies</legend>
      {choices.map((choice) => (
        <button key={choice} type="button" className="button" onClick={() => reply(choice)}>
          {choice}
        </button>
      ))}
    </fieldset>
  );
}
