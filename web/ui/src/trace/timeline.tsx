/** Steps, tool calls, verdicts and escalations in the order in which they happened. */

import { memo, type ReactNode } from "react";
import { artifactAddress } from "../api/client";
import { CodeBlock } from "../markdown/code";
import { routeLabel } from "../run/route";
import { type StepItem, type TimelineItem, type ToolItem, type Trace, toolState } from "../run/trace";
import { bytes, percent, seconds, whole } from "../shell/format";

/** While a step is written only its end is drawn: laying out all of it at every token would hold the page up. */
const TAIL = 3000;

interface TimelineProps {
  trace: Trace;
  version: number;
  run: string;
}

export function Timeline({ trace, run }: TimelineProps) {
  return (
    <ol className="timeline">
      {trace.timeline.map((item) => (
        <TimelineEntry key={item.key} item={item} version={item.version} run={run} live={trace.finished === null} />
      ))}
    </ol>
  );
}

interface EntryProps {
  item: TimelineItem;
  /** Items change in place; this says that they did. */
  version: number;
  run: string;
  live: boolean;
}

const TimelineEntry = memo(function TimelineEntry({ item, run, live }: EntryProps): ReactNode {
  switch (item.kind) {
    case "step":
      return <Step item={item} live={live} />;
    case "tool":
      return <Tool item={item} />;
    case "verdict":
      return (
        <Entry
          tone={item.accepted === null ? "open" : item.accepted ? "good" : "bad"}
          title={verdictTitle(item.accepted)}
        >
          <p>
            <strong>{item.verifier}</strong>: {item.reason}
          </p>
        </Entry>
      );
    case "escalated":
      return (
        <Entry tone="turn" title={`Escalated to ${routeLabel(item.route)}`}>
          <p>{item.reason}</p>
        </Entry>
      );
    case "queued":
      return <Entry tone="open" title={`Waited for the machine (place ${item.position})`} />;
    case "resumed":
      return <Entry tone="turn" title="Taken over from its last checkpoint after an interruption" />;
    case "playbook":
      return (
        <Entry
          tone={item.problem ? "bad" : "open"}
          title={item.problem ? "Went on without the playbook" : "From the playbook"}
        >
          <p>{item.problem ?? item.reason}</p>
          {item.entries.length > 0 && (
            <ul>
              {item.entries.map((entry) => (
                <li key={entry.id}>
                  {entry.kind} <strong>{entry.name}</strong>: right in about {percent(entry.win_rate)} of{" "}
                  {whole(entry.trials)} outcomes
                </li>
              ))}
            </ul>
          )}
        </Entry>
      );
    case "answered":
      return (
        <Entry tone="good" title="The same request was answered before">
          <p>
            This is the answer of run <code>{item.run}</code>, which took {whole(item.tokens)} tokens. Run it again for
            a new one.
          </p>
        </Entry>
      );
    case "artifact":
      return (
        <Entry tone="open" title={`Made ${item.name}`}>
          <p>
            <a href={artifactAddress(run, item.name)} download={item.name}>
              {item.mediaType}, {bytes(item.size)}
            </a>
          </p>
        </Entry>
      );
    case "tool_calls":
      return (
        <Entry tone="turn" title="Asked for your tools">
          <CodeBlock code={JSON.stringify(item.calls, null, 2)} language="json" />
        </Entry>
      );
  }
});

type Tone = "model" | "open" | "good" | "bad" | "turn";

function Entry({ tone, title, children }: { tone: Tone; title: ReactNode; children?: ReactNode }) {
  return (
    <li className={`entry entry-${tone}`}>
      <div className="entry-title">{title}</div>
      {children}
    </li>
  );
}

function verdictTitle(accepted: boolean | null): string {
  if (accepted === null) return "Verdict: cannot tell";
  return accepted ? "Verdict: accepted" : "Verdict: not accepted";
}

function Step({ item, live }: { item: StepItem; live: boolean }) {
  const writing = live && !item.done;
  const text = writing && item.text.length > TAIL ? `…${item.text.slice(-TAIL)}` : item.text;
  return (
    <Entry
      tone="model"
      title={
        <>
          <span className="chip model">{item.model}</span> {item.purpose}
          {item.stopped && <span className="reason"> stopped</span>}
          {writing && <span className="pulse" aria-hidden="true" />}
        </>
      }
    >
      {(item.meanLogprob !== null || item.handovers > 0) && (
        <p className="reason">
          {item.meanLogprob !== null && `mean log-probability ${item.meanLogprob.toFixed(2)}`}
          {item.meanLogprob !== null && item.handovers > 0 && " · "}
          {item.handovers > 0 && `${item.handovers} ${item.handovers === 1 ? "hand-over" : "hand-overs"}`}
        </p>
      )}
      {text && (
        <details open={writing}>
          <summary>{writing ? "Writing" : "What it wrote"}</summary>
          <pre className={writing ? "step-text live" : "step-text"}>{text}</pre>
        </details>
      )}
    </Entry>
  );
}

function Tool({ item }: { item: ToolItem }) {
  return (
    <Entry
      tone={item.output === null || item.stopped ? "open" : item.ok ? "good" : "bad"}
      title={
        <>
          {item.tool} {toolState(item)}
          {item.seconds !== null && <span className="reason"> in {seconds(item.seconds)}</span>}
        </>
      }
    >
      {item.input && (
        <details>
          <summary>Program</summary>
          <CodeBlock code={item.input} language={item.tool.toLowerCase().includes("python") ? "python" : ""} />
        </details>
      )}
      {item.output && (
        <details open={item.output.length < 400}>
          <summary>Output</summary>
          <pre className="step-text">{item.output}</pre>
        </details>
      )}
    </Entry>
  );
}
