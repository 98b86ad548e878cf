/** An answer as its tokens, tinted by the model that wrote them; a token's doubt is told on hover and by keyboard. */

import { type KeyboardEvent, memo, type ReactNode, useMemo, useRef, useState } from "react";
import type { Written } from "../run/events";
import { runsOf, writersOf } from "../run/shares";

interface TintedProps {
  tokens: readonly Written[];
  route: string | null;
  /** Changes whenever `tokens` grew. */
  version: number;
}

export function Tinted({ tokens, route, version }: TintedProps) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the array grows in place
  const runs = useMemo(() => runsOf(tokens), [tokens, version]);
  const writers = writersOf(route, tokens);
  const [position, setPosition] = useState<number | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const token = position === null ? undefined : tokens.find((other) => other.position === position);

  const pointed = (target: EventTarget): void => {
    const at = (target as HTMLElement).dataset?.["at"];
    if (at !== undefined) setPosition(Number(at));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    const next = (position ?? -step) + step;
    if (next >= 0 && next < tokens.length) setPosition(next);
  };
  return (
    <div className="tinted" ref={box}>
      {/* biome-ignore lint/a11y/useSemanticElements: a group of words, not of form fields */}
      <div
        className="tokens"
        role="group"
        aria-label="The answer by writer. Left and right arrow keys go from token to token."
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys work here
        tabIndex={0}
        onPointerOver={(event) => pointed(event.target)}
        onPointerLeave={() => setPosition(null)}
        onKeyDown={onKeyDown}
      >
        {runs.map((run) => (
          <TokenRun
            key={run[0]?.position}
            run={run}
            count={run.length}
            writer={writers.indexOf(run[0]?.model ?? "")}
            marked={position !== null && holds(run, position) ? position : null}
          />
        ))}
      </div>
      <p className="token-detail" aria-live="polite">
        {token ? <Detail token={token} /> : "Point at a word, or use the arrow keys, to see how sure its writer was."}
      </p>
    </div>
  );
}

function holds(run: readonly Written[], position: number): boolean {
  const first = run[0]?.position ?? 0;
  return position >= first && position < first + run.length;
}

interface TokenRunProps {
  run: readonly Written[];
  count: number;
  writer: number;
  marked: number | null;
}

const TokenRun = memo(
  function TokenRun({ run, writer, marked }: TokenRunProps) {
    return (
      <span className={`writer writer-${writer % 4}`}>
        {run.map((token) => (
          <span
            key={token.position}
            data-at={token.position}
            className={token.position === marked ? "token marked" : doubtClass(token)}
          >
            {token.text}
          </span>
        ))}
      </span>
    );
  },
  (before, after) =>
    before.count === after.count &&
    before.marked === after.marked &&
    before.writer === after.writer &&
    before.run[0] === after.run[0],
);

/** Underlined where the writer hesitated: above about one nat several tokens were likely. */
function doubtClass(token: Written): string {
  return token.entropy !== null && token.entropy !== undefined && token.entropy > 1 ? "token unsure" : "token";
}

function Detail({ token }: { token: Written }): ReactNode {
  const others = token.alternatives?.filter((other) => other.text !== token.text).slice(0, 4) ?? [];
  return (
    <>
      <code>{visible(token.text)}</code> by <strong>{token.model}</strong>
      {token.logprob !== null && token.logprob !== undefined && <> · probability {probability(token.logprob)}</>}
      {token.entropy !== null && token.entropy !== undefined && <> · entropy {token.entropy.toFixed(2)} nats</>}
      {token.grade !== null && token.grade !== undefined && (
        <> · a step begins, whose draft was graded {Number(token.grade.toFixed(1))} of 9</>
      )}
      {others.length > 0 && (
        <>
          {" · instead of "}
          {others.map((other, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two alternatives may look the same
            <span key={index} className="alternative">
              <code>{visible(other.text)}</code> {probability(other.logprob)}
            </span>
          ))}
        </>
      )}
    </>
  );
}

const probability = (logprob: number): string => `${(Math.exp(logprob) * 100).toFixed(logprob < -2.3 ? 1 : 0)} %`;
const visible = (text: string): string => text.replaceAll("\n", "⏎").replaceAll(" ", "␣") || "∅";
