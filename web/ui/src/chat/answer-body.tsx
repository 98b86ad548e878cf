/** An answer's text with what belongs to it: activity while it is written, tint, files, and what went wrong. */

import type { ReactNode } from "react";
import { artifactAddress } from "../api/client";
import type { Turn } from "../api/types";
import { Markdown } from "../markdown/markdown";
import { Tinted } from "../provenance/tinted";
import type { RunFeed } from "../run/feed";
import type { Artifact } from "../run/trace";
import { bytes } from "../shell/format";
import { Icon } from "../shell/icons";
import { Notice } from "../shell/notice";
import { activityOf } from "./activity";
import { STATUS_TEXT } from "./status";

interface AnswerBodyProps {
  turn: Turn;
  feed: RunFeed | null;
  tinted: boolean;
}

export function AnswerBody({ turn, feed, tinted }: AnswerBodyProps) {
  const running = turn.status === "running";
  const text = textOf(turn, feed);
  return (
    <div className="answer" aria-busy={running}>
      {tinted && feed ? (
        <Tinted tokens={feed.trace.written} route={turn.route ?? feed.trace.route} version={feed.snapshot()} />
      ) : (
        text && <Markdown text={text} run={turn.run} growing={running} />
      )}
      {running && <Activity feed={feed} />}
      {feed && <Files run={feed.run} artifacts={feed.trace.artifacts} />}
      <Ending turn={turn} />
    </div>
  );
}

/** While it runs the stream is ahead of what is stored. */
export function textOf(turn: Turn, feed: RunFeed | null): string {
  return turn.status === "running" ? feed?.trace.content || turn.content : turn.content;
}

function Activity({ feed }: { feed: RunFeed | null }) {
  if (feed?.connection === "failed") {
    return (
      <Notice action={{ label: "Try again", act: () => feed.retry() }}>
        {feed.problem ?? "This answer cannot be followed."}
      </Notice>
    );
  }
  return (
    <p className="activity">
      <span className="pulse" aria-hidden="true" />
      {feed ? activityOf(feed.trace, feed.connection) : "Starting"}
    </p>
  );
}

function Ending({ turn }: { turn: Turn }): ReactNode {
  if (turn.status === null || turn.status === "running") return null;
  const said = STATUS_TEXT[turn.status];
  if (!said) return null;
  if (turn.status === "error") return <Notice>{`${turn.error ?? said.label} ${said.help}`}</Notice>;
  return (
    <p className="ending">
      <strong>{said.label}.</strong> {said.help}
    </p>
  );
}

/** Files that programs made; pictures are shown, everything else is a download. */
export function Files({ run, artifacts }: { run: string; artifacts: readonly Artifact[] }) {
  if (!artifacts.length) return null;
  return (
    <ul className="files">
      {artifacts.map(({ name, mediaType, size }) => {
        const address = artifactAddress(run, name);
        return (
          <li key={name}>
            {mediaType.startsWith("image/") && <img src={address} alt={name} loading="lazy" />}
            <a href={address} download={name}>
              <Icon name="file" /> {name} <small>{bytes(size)}</small>
            </a>
          </li>
        );
      })}
    </ul>
  );
}
