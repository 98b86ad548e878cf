/** The work behind one answer, live while it runs. */

import { type ReactNode, useEffect, useState } from "react";
import { readRun } from "../api/client";
import { messageOf } from "../api/http";
import type { Me, RunRecord, Turn } from "../api/types";
import type { RunFeed } from "../run/feed";
import { useFeed } from "../run/feeds";
import { routeLabel } from "../run/route";
import { whyThisModel } from "../run/why";
import { Icon } from "../shell/icons";
import { Notice } from "../shell/notice";
import { ConsideredChart } from "./considered-chart";
import { Difficulty } from "./difficulty";
import { LedgerTable } from "./ledger-table";
import { Timeline } from "./timeline";

interface TracePanelProps {
  turn: Turn | null;
  me: Me;
  close: () => void;
}

export function TracePanel({ turn, me, close }: TracePanelProps) {
  const feed = useFeed(turn?.run ?? null);
  return (
    <aside
      className="trace"
      aria-label="Trace"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        close();
      }}
    >
      <header>
        <h2>Trace</h2>
        <button type="button" className="icon-button" onClick={close} aria-label="Close the trace" title="Close (t)">
          <Icon name="cross" />
        </button>
      </header>
      <div className="trace-body">
        {feed ? (
          <RunTrace key={feed.run} feed={feed} me={me} />
        ) : (
          <p className="empty-trace">
            Ask something: here you will see how hard it looked, which routes were weighed, every step, and what it
            cost.
          </p>
        )}
      </div>
    </aside>
  );
}

function RunTrace({ feed, me }: { feed: RunFeed; me: Me }) {
  const { trace, connection } = feed;
  if (connection === "gone" && !trace.finished) return <Expired run={feed.run} />;
  if (connection === "failed") {
    return (
      <Notice action={{ label: "Try again", act: () => feed.retry() }}>
        {feed.problem ?? "This run cannot be followed."}
      </Notice>
    );
  }
  const why = whyThisModel(trace);
  return (
    <>
      {connection === "waiting" && <p className="activity">Connection lost; trying again. Nothing will be missing.</p>}
      {trace.assessed && <Difficulty assessed={trace.assessed} />}
      {trace.routed && (
        <Section title="Route">
          <p className="route-chosen">
            <strong>{routeLabel(trace.route ?? trace.routed.route)}</strong>
          </p>
          {why && <p className="reason">{why}</p>}
          <ConsideredChart considered={trace.routed.considered} chosen={trace.routed.route} />
        </Section>
      )}
      {trace.timeline.length > 0 && (
        <Section title="Steps">
          {!me.may_see_reasoning && (
            <p className="reason">
              Your key may not see the text of steps and programs; what was done is listed all the same.
            </p>
          )}
          <Timeline trace={trace} version={feed.snapshot()} run={feed.run} />
        </Section>
      )}
      <Section title="Ledger">
        <LedgerTable ledger={trace.ledger} />
      </Section>
      <p className="run-id">
        Run <code>{feed.run}</code>
      </p>
    </>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="trace-section">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

/** The events of old runs expire; the record of the run stays. */
function Expired({ run }: { run: string }) {
  const [record, setRecord] = useState<RunRecord | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    readRun(run).then(
      (found) => wanted && setRecord(found),
      (error: unknown) => wanted && setProblem(messageOf(error)),
    );
    return () => {
      wanted = false;
    };
  }, [run]);
  return (
    <>
      <p className="empty-trace">The server no longer keeps the events of this run; this is what is stored of it.</p>
      {problem && <Notice>{problem}</Notice>}
      {record?.route && (
        <Section title="Route">
          <p className="route-chosen">
            <strong>{routeLabel(record.route)}</strong>
          </p>
        </Section>
      )}
      {record?.ledger && (
        <Section title="Ledger">
          <LedgerTable ledger={record.ledger} />
        </Section>
      )}
    </>
  );
}
