/** Whether the trace stands beside the conversation, and whose it is. */

import { useState } from "react";
import type { Turn } from "../api/types";
import { isBoolean, useRemembered } from "../shell/remembered";
import { useMedia } from "../shell/theme";

interface PathPlace {
  turn: Turn;
}

/** Which answer's trace is shown: the last one, until another is asked for. */
export function useTracePanel(last: Turn | null) {
  const wide = useMedia("(min-width: 75rem)");
  const [wanted, setWanted] = useRemembered("trace", isBoolean, true);
  const [overlay, setOverlay] = useState(false);
  const [chosen, setChosen] = useState<string | null>(null);
  const shown = wide ? wanted : overlay;
  const setShown = wide ? setWanted : setOverlay;
  return {
    shown,
    toggle: () => setShown(!shown),
    open: (turn: Turn) => {
      const current = chosen ?? last?.id;
      setShown(!(shown && current === turn.id));
      setChosen(turn.id === last?.id ? null : turn.id);
    },
    followLast: () => setChosen(null),
    turnOf: (path: readonly PathPlace[]): Turn | null => {
      const answers = path.map((place) => place.turn).filter((turn) => turn.role === "assistant");
      return answers.find((turn) => turn.id === chosen) ?? answers.at(-1) ?? null;
    },
  };
}
