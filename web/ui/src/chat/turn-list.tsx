import { memo } from "react";
import type { Offer, Turn } from "../api/types";
import { type AnswerActions, AssistantTurn } from "./assistant-turn";
import { Compare } from "./compare";
import type { Place } from "./tree";
import { NearnessProvider, TurnChunk, TurnShell } from "./turn-shell";
import { UserTurn } from "./user-turn";

/** So many turns at the end are drawn in full at once. */
const DRAWN = 8;
/** So many turns are laid out, or left out, together. */
const CHUNK = 16;

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

export const TurnList = memo(function TurnList({ path, ...rest }: TurnListProps) {
  const chunks = Array.from({ length: Math.ceil(path.length / CHUNK) }, (_, index) => index * CHUNK);
  return (
    <NearnessProvider>
      {chunks.map((first) => (
        <TurnChunk key={first} start={first + CHUNK > path.length - DRAWN}>
          {path.slice(first, first + CHUNK).map((place, at) => (
            <PlaceEntry
              key={place.turn.role === "user" ? place.turn.id : `answer-to-${place.turn.parent}`}
              place={place}
              fromEnd={path.length - 1 - first - at}
              {...rest}
            />
          ))}
        </TurnChunk>
      ))}
    </NearnessProvider>
  );
});

interface PlaceEntryProps extends Omit<TurnListProps, "path"> {
  place: Place;
  /** 0 is the last of the branch. */
  fromEnd: number;
}

function PlaceEntry({ place, fromEnd, comparing, closeComparison, tracing, ...rest }: PlaceEntryProps) {
  const { turn, siblings, index } = place;
  if (turn.role === "assistant" && turn.parent === comparing && siblings.length > 1) {
    return <Compare siblings={siblings} from={turn} actions={rest.actions} close={closeComparison} />;
  }
  return (
    <TurnEntry
      key={turn.id}
      turn={turn}
      siblings={siblings}
      index={index}
      near={fromEnd < DRAWN}
      last={fromEnd === 0}
      tracing={turn.id === tracing}
      {...rest}
    />
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
