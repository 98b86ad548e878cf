import type { AnswerOptions, Offer, Turn } from "../api/types";
import { Icon } from "../shell/icons";
import { Menu, type MenuEntry } from "../shell/menu";

interface AgainMenuProps {
  turn: Turn;
  offers: readonly Offer[];
  again: (options: AnswerOptions) => void;
}

/** Answer the same question again: the same way, or on another route, which puts both side by side. */
export function AgainMenu({ turn, offers, again }: AgainMenuProps) {
  const { effort, same } = settingsOf(turn);
  const others = offers.filter((offer) => offer.id !== (turn.settings?.model ?? "auto"));
  const entries: MenuEntry[] = [
    { label: "The same way", act: () => again(same) },
    ...others.map((offer) => ({
      label: offer.id,
      detail: offer.description,
      act: () => again({ model: offer.id, ...effort }),
    })),
  ];
  return (
    <Menu label="Run again" button={<Icon name="again" />} entries={entries} disabled={turn.status === "running"} />
  );
}

function settingsOf(turn: Turn): { effort: AnswerOptions; same: AnswerOptions } {
  const { model, strategy, reasoning_effort, budget } = turn.settings ?? {};
  const effort: AnswerOptions = reasoning_effort ? { reasoning_effort } : {};
  const same: AnswerOptions = {
    ...effort,
    ...(model ? { model } : {}),
    ...(strategy ? { strategy } : {}),
    ...(budget ? { budget } : {}),
  };
  return { effort, same };
}
