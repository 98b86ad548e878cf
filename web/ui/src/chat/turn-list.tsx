import { memo } from "react";
import type { Offer, Turn } from "../api/types";
import { type AnswerActions, AssistantTurn } from "./assistant-turn";
import { Compare } from "./compare";
import type { Place } from "./tree";
import { NearnessProvider, TurnShell } from "./turn-shell";
import { UserTurn } from "./user-turn";

/** So many turns at the end are drawn in full at once. */
const DRAWN = 12;

interface TurnListProps {
  path: readonly Place[];
  /** The answer whose trace is shown. */
  tracing: string | null;
  /** The user turn whose answers are compared. */
  comparing: string | null;
  closeComparison: () => void;
  offers: readonly Offer[];
  actions: AnswerActions;
  edit: (turn: Turn, text: string) => Promise<boolean>;
}

export function TurnList({ path, comparing, closeComparison, ...rest }: TurnListProps) {
  return (
    <NearnessProvider>
      {path.map((place, index) => {
        const compared =
          place.turn.role === "assistant" && place.turn.parent === comparing && place.siblings.length > 1;
        if (compared) {
          return (
            <Compare
              key={`compare-${place.turn.parent}`}
              siblings={place.siblings}
              from={place.turn}
              actions={rest.actions}
              close={closeComparison}
            />
          );
        }
        return (
          <TurnEntry
            key={place.turn.id}
            turn={place.turn}
            siblings={place.siblings}
            index={place.index}
            near={index >= path.length - DRAWN}
            last={index === path.length - 1}
            tracing={place.turn.id === rest.tracing}
            offers={rest.offers}
            actions={rest.actions}
            edit={rest.edit}
          />
        );
      })}
    </NearnessProvider>
  );
}

interface TurnEntryProps extends Place {
  near: boolean;
  last: boolean;
  tracing: boolean;
  offers: readonly Offer[];
  actions: AnswerActions;
  edit: (turn: Turn, text: string) => Promise<boolean>;
}

/** Drawn again only when something of this turn changed: siblings are compared one by one. */
const TurnEntry = memo(
  function TurnEntry({ turn, siblings, index, near, last, tracing, offers, actions, edit }: TurnEntryProps) {
    const place: Place = { turn, siblings, index };
    return (
      <TurnShell turn={turn} near={near}>
        {turn.role === "user" ? (
          <UserTurn place={place} show={actions.show} edit={(text) => edit(turn, text)} />
        ) : (
          <AssistantTurn place={place} last={last} tracing={tracing} offers={offers} actions={actions} />
        )}
      </TurnShell>
    );
  },
  (before, after) =>
    before.turn === after.turn &&
    before.index === after.index &&
    before.near === after.near &&
    before.last === after.last &&
    before.tracing === after.tracing &&
    before.offers === after.offers &&
    before.siblings.length === after.siblings.length &&
    before.siblings.every((turn, at) => turn === after.siblings[at]),
);
