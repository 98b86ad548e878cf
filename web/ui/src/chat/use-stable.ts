/** Functions that stay the same while what they do changes, so that turns are drawn again only when they changed. */

import { useCallback, useEffect, useMemo, useRef } from "react";
import type { AnswerActions } from "./assistant-turn";

export function useStableActions(actions: AnswerActions): AnswerActions {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  return useMemo(
    () => ({
      show: (turn) => latest.current.show(turn),
      again: (turn, how) => latest.current.again(turn, how),
      compare: (turn) => latest.current.compare(turn),
      rate: (turn, rating, reason) => latest.current.rate(turn, rating, reason),
      settle: (turn, outcome) => latest.current.settle(turn, outcome),
      refresh: () => latest.current.refresh(),
      openTrace: (turn) => latest.current.openTrace(turn),
      reply: (turn, choice) => latest.current.reply(turn, choice),
    }),
    [],
  );
}

export function useLatest<A extends unknown[], R>(call: (...values: A) => R): (...values: A) => R {
  const latest = useRef(call);
  useEffect(() => {
    latest.current = call;
  });
  return useCallback((...values: A) => latest.current(...values), []);
}
