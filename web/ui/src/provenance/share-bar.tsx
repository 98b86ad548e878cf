import type { Written } from "../run/events";
import { largeOf, savedTokens, sharesOf, writersOf } from "../run/shares";
import { percent, whole } from "../shell/format";

/** Who wrote how much, as a bar and in words. */
export function ShareBar({ tokens, route }: { tokens: readonly Written[]; route: string | null | undefined }) {
  const shares = sharesOf(tokens);
  if (!shares.length) return null;
  const writers = writersOf(route, tokens);
  const large = largeOf(writers);
  const saved = large ? savedTokens(shares, large) : 0;
  return (
    <figure className="share-bar">
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        {shares.map((share, index) => {
          const before = shares.slice(0, index).reduce((sum, other) => sum + other.share, 0);
          const writer = writers.indexOf(share.model) % 4;
          return (
            <rect
              key={share.model}
              className={`fill-${writer}`}
              x={before * 100}
              width={share.share * 100}
              height="4"
            />
          );
        })}
      </svg>
      <figcaption>
        {shares.map((share) => (
          <span key={share.model}>
            <i className={`dot fill-${writers.indexOf(share.model) % 4}`} aria-hidden="true" />
            {`${share.model} ${percent(share.share)} (${whole(share.tokens)} tokens)`}
          </span>
        ))}
        {saved > 0 && large && (
          <span className="saved">{`${large} alone would have written ${whole(saved)} tokens more`}</span>
        )}
      </figcaption>
    </figure>
  );
}
