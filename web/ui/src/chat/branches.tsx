import type { Turn } from "../api/types";
import { Icon } from "../shell/icons";
import type { Place } from "./tree";

/** Goes through the turns beside this one; nothing where there is only one. `label` names what they are. */
export function Branches({ place, show, label }: { place: Place; show: (turn: Turn) => void; label: string }) {
  const { siblings, index } = place;
  if (siblings.length < 2) return null;
  const step = (by: number) => () => {
    const turn = siblings[index + by];
    if (turn) show(turn);
  };
  return (
    <fieldset className="branches">
      <legend className="visually-hidden">{`This is ${label} ${index + 1} of ${siblings.length}`}</legend>
      <button
        type="button"
        className="icon-button"
        disabled={index === 0}
        onClick={step(-1)}
        aria-label={`Earlier ${label}`}
      >
        <Icon name="left" />
      </button>
      <span aria-hidden="true">
        {index + 1} / {siblings.length}
      </span>
      <button
        type="button"
        className="icon-button"
        disabled={index === siblings.length - 1}
        onClick={step(1)}
        aria-label={`Later ${label}`}
      >
        <Icon name="right" />
      </button>
    </fieldset>
  );
}
