/** One entry: what it says, what speaks for it, and what its owner can do with it. */

import { useState } from "react";
import { messageOf } from "../api/http";
import { routeLabel } from "../run/route";
import { Dialog } from "../shell/dialog";
import { percent, when, whole } from "../shell/format";
import { Notice } from "../shell/notice";
import { changeEntry, deleteEntry, type Entry, type Recipe } from "./entries";

interface EntryCardProps {
  entry: Entry;
  changed: (entry: Entry) => void;
  gone: (entry: Entry) => void;
}

const STATUS: Record<Entry["status"], string> = {
  candidate: "being tried",
  promoted: "in use",
  demoted: "no longer in use",
  disabled: "disabled",
};

export function EntryCard({ entry, changed, gone }: EntryCardProps) {
  const [problem, setProblem] = useState<string | null>(null);
  const [leaving, setLeaving] = useState(false);
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  const change = (fields: Partial<Pick<Entry, "pinned" | "disabled">>) => () =>
    void attempt(async () => changed(await changeEntry(entry.id, fields)));
  const remove = (): void => {
    setLeaving(false);
    void attempt(async () => {
      await deleteEntry(entry.id);
      gone(entry);
    });
  };
  return (
    <li className="card" aria-labelledby={`entry-${entry.id}`}>
      <header>
        <h2 id={`entry-${entry.id}`}>{entry.name}</h2>
        <span>
          <span className="chip">{entry.kind}</span> <span className="chip">{STATUS[entry.status]}</span>
        </span>
      </header>
      {entry.text && <p>{entry.text}</p>}
      {entry.recipe && <RecipeDetails recipe={entry.recipe} />}
      <p className="reason">{`For questions like: ${entry.problem}`}</p>
      <p className="entry-evidence">{evidenceOf(entry)}</p>
      {problem && <Notice onClose={() => setProblem(null)}>{problem}</Notice>}
      <div className="dialog-actions">
        <button
          type="button"
          className="button small quiet"
          aria-pressed={entry.pinned}
          title="A pinned entry is kept however much else is learned"
          onClick={change({ pinned: !entry.pinned })}
        >
          {entry.pinned ? "Unpin" : "Pin"}
        </button>
        <button
          type="button"
          className="button small quiet"
          aria-pressed={entry.disabled}
          title={entry.disabled ? "It is then tried anew, from no evidence" : "It is kept, and not used"}
          onClick={change({ disabled: !entry.disabled })}
        >
          {entry.disabled ? "Enable" : "Disable"}
        </button>
        <button type="button" className="button small quiet" onClick={() => setLeaving(true)}>
          Delete
        </button>
      </div>
      {leaving && (
        <Dialog title="Delete this entry?" onClose={() => setLeaving(false)}>
          <p>{`“${entry.name}” and its evidence are forgotten. Disable it instead if it must not come back.`}</p>
          <div className="dialog-actions">
            <button type="button" className="button quiet" onClick={() => setLeaving(false)}>
              Keep
            </button>
            <button type="button" className="button danger" onClick={remove}>
              Delete
            </button>
          </div>
        </Dialog>
      )}
    </li>
  );
}

function RecipeDetails({ recipe }: { recipe: Recipe }) {
  return (
    <>
      <p className="reason">{`Solves with ${recipeLabel(recipe)}`}</p>
      {recipe.instruction && <p>{`Told before the question: ${recipe.instruction}`}</p>}
      {recipe.examples.length > 0 && (
        <details>
          <summary>{`Shown before the question: ${recipe.examples.length} solved`}</summary>
          {recipe.examples.map((worked) => (
            <div key={worked.problem}>
              <p className="reason">{worked.problem}</p>
              <pre className="step-text">{worked.solution}</pre>
            </div>
          ))}
        </details>
      )}
    </>
  );
}

function recipeLabel(recipe: Recipe): string {
  const numbers = { ...recipe.options, temperature: recipe.temperature, tokens: recipe.tokens };
  const options = Object.entries(numbers)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${String(value)}`);
  const route = routeLabel(`${recipe.strategy}(${recipe.models.join("+")})`);
  return options.length ? `${route}, ${options.join(", ")}` : route;
}

function evidenceOf(entry: Entry): string {
  if (entry.trials === 0) return "Not tried yet";
  const said = [`Right in ${whole(entry.wins)} of ${whole(entry.trials)} outcomes`];
  if (entry.gain !== null) {
    const points = `${entry.gain >= 0 ? "+" : "−"}${percent(Math.abs(entry.gain))}`;
    said.push(`${points} against the default over ${whole(entry.compared)}`);
  }
  if (entry.tokens_per_trial !== null) said.push(`${whole(entry.tokens_per_trial)} tokens each`);
  said.push(`last used ${when(entry.used, Date.now() / 1000)}`);
  return said.join(" · ");
}
