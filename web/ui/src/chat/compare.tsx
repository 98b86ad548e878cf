/** Two answers to one question, side by side, with what each took. */

import { useState } from "react";
import type { Turn } from "../api/types";
import { useFeed } from "../run/feeds";
import { routeLabel } from "../run/route";
import { seconds, whole } from "../shell/format";
import { Icon } from "../shell/icons";
import { AnswerBody } from "./answer-body";
import type { AnswerActions } from "./assistant-turn";
import { useSettle } from "./use-settle";

interface CompareProps {
  siblings: readonly Turn[];
  /** The answer that the comparison was opened from. */
  from: Turn;
  actions: AnswerActions;
  close: () => void;
}

export function Compare({ siblings, from, actions, close }: CompareProps) {
  const other = siblings.findLast((turn) => turn.id !== from.id) ?? from;
  const [chosen, setChosen] = useState<[string, string]>(
    other.created < from.created ? [other.id, from.id] : [from.id, other.id],
  );
  const column = (side: 0 | 1) => {
    const turn = siblings.find((sibling) => sibling.id === chosen[side]) ?? from;
    const choose = (id: string): void => setChosen(side === 0 ? [id, chosen[1]] : [chosen[0], id]);
    const keep = (): void => {
      actions.show(turn);
      close();
    };
    return <Column key={side} turn={turn} siblings={siblings} choose={choose} keep={keep} actions={actions} />;
  };
  return (
    <section className="compare" aria-label="Two answers side by side">
      <header>
        <strong>Side by side</strong>
        <button type="button" className="icon-button" onClick={close} aria-label="Close the comparison">
          <Icon name="cross" />
        </button>
      </header>
      <div className="compare-columns">
        {column(0)}
        {column(1)}
      </div>
    </section>
  );
}

interface ColumnProps {
  turn: Turn;
  siblings: readonly Turn[];
  choose: (id: string) => void;
  keep: () => void;
  actions: AnswerActions;
}

function Column({ turn, siblings, choose, keep, actions }: ColumnProps) {
  const feed = useFeed(turn.run);
  useSettle(turn, feed, actions);
  const ledger = feed?.trace.finished?.ledger;
  const verdicts = feed?.trace.timeline.filter((item) => item.kind === "verdict") ?? [];
  return (
    <article className="compare-column">
      <select aria-label="Answer" value={turn.id} onChange={(event) => choose(event.target.value)}>
        {siblings.map((sibling, index) => (
          <option key={sibling.id} value={sibling.id}>
            {`${index + 1}: ${nameOf(sibling)}`}
          </option>
        ))}
      </select>
      <AnswerBody turn={turn} feed={feed} tinted={false} />
      <dl className="figures">
        <Figure name="Route" value={nameOf(turn)} />
        <Figure name="Time" value={ledger ? seconds(ledger.seconds) : null} />
        {Object.entries(feed?.trace.ledger.tokens ?? {}).map(([model, usage]) => (
          <Figure key={model} name={`${model} wrote`} value={`${whole(usage.completion)} tokens`} />
        ))}
        <Figure name="Model calls" value={feed ? whole(feed.trace.ledger.calls) : null} />
        <Figure name="Last verdict" value={verdicts.at(-1)?.reason ?? null} />
      </dl>
      <button type="button" className="button small" onClick={keep} disabled={turn.status === "running"}>
        Go on with this one
      </button>
    </article>
  );
}

function Figure({ name, value }: { name: string; value: string | null }) {
  if (!value) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function nameOf(turn: Turn): string {
  if (turn.route) return routeLabel(turn.route);
  return turn.settings?.strategy ?? turn.settings?.model ?? "auto";
}
