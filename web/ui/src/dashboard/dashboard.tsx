/** How the server does: outcomes, time and cost by day, routes, and the last benchmark's frontier. */

import { useEffect, useState } from "react";
import { dashboard } from "../api/client";
import { messageOf } from "../api/http";
import type { Dashboard } from "../api/types";
import { percent, seconds, short, whole } from "../shell/format";
import { Icon } from "../shell/icons";
import { Notice } from "../shell/notice";
import { PageHead } from "../shell/page-head";
import { DayBars, DayLines } from "./day-charts";
import { Frontier } from "./frontier";
import { RouteTable } from "./route-table";

const SPANS = [7, 30, 90];

export function DashboardPage({ openList }: { openList: () => void }) {
  const [days, setDays] = useState(30);
  const [data, setData] = useState<Dashboard | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [asked, setAsked] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `asked` is what asks again
  useEffect(() => {
    document.title = "Dashboard · Tandem";
    let wanted = true;
    dashboard(days).then(
      (found) => {
        if (!wanted) return;
        setData(found);
        setProblem(null);
      },
      (error: unknown) => wanted && setProblem(messageOf(error)),
    );
    return () => {
      wanted = false;
    };
  }, [days, asked]);

  return (
    <main className="sheet">
      <PageHead title="Dashboard" openList={openList}>
        <label className="span-choice">
          <span className="visually-hidden">Time span</span>
          <select value={days} onChange={(event) => setDays(Number(event.target.value))}>
            {SPANS.map((span) => (
              <option key={span} value={span}>{`last ${span} days`}</option>
            ))}
          </select>
        </label>
      </PageHead>
      <div className="sheet-body">
        {problem && <Notice action={{ label: "Try again", act: () => setAsked(asked + 1) }}>{problem}</Notice>}
        {!data && !problem && <p className="loading">Counting…</p>}
        {data && <Figures data={data} days={days} />}
      </div>
    </main>
  );
}

function Figures({ data, days }: { data: Dashboard; days: number }) {
  return (
    <>
      {data.runs === 0 ? (
        <div className="empty-sheet">
          <Icon name="chart" />
          <h2>{`No runs in the last ${days} days`}</h2>
          <p>Every question, from this page, the API or Slack, is counted here.</p>
        </div>
      ) : (
        <Usage data={data} />
      )}
      <Frontier points={data.frontier} />
      <Store title="Cache" figures={data.cache} />
      <Store title="Playbook" figures={data.playbook} />
    </>
  );
}

function Usage({ data }: { data: Dashboard }) {
  const sum = (field: "accepted" | "feedback_up" | "feedback_down" | "large_tokens" | "small_tokens"): number =>
    data.days.reduce((total, day) => total + day[field], 0);
  const up = sum("feedback_up");
  const rated = up + sum("feedback_down");
  const large = sum("large_tokens");
  const tokens = large + sum("small_tokens");
  return (
    <>
      <dl className="tiles">
        <Tile name="Runs" value={whole(data.runs)} />
        <Tile name="Accepted by a verifier" value={data.runs ? percent(sum("accepted") / data.runs) : "–"} />
        <Tile name="Thumbs up" value={rated ? `${percent(up / rated)} of ${whole(rated)}` : "none given yet"} />
        <Tile name="Written by the large model" value={tokens ? percent(large / tokens) : "–"} />
      </dl>
      <div className="charts">
        <DayLines
          title="Time to answer"
          days={data.days}
          lines={[
            { name: "half are faster than", value: (day) => day.seconds_p50 },
            { name: "95 % are faster than", value: (day) => day.seconds_p95 },
          ]}
          show={seconds}
        />
        <DayLines
          title="Cost of an answer, in large-model tokens"
          days={data.days}
          lines={[{ name: "mean", value: (day) => day.cost }]}
          show={short}
        />
        <DayBars
          title="Tokens written"
          days={data.days}
          parts={[
            { name: "small", value: (day) => day.small_tokens },
            { name: "large", value: (day) => day.large_tokens },
          ]}
          show={short}
        />
        <DayBars title="Runs" days={data.days} parts={[{ name: "runs", value: (day) => day.runs }]} show={short} />
      </div>
      <RouteTable routes={data.routes} />
    </>
  );
}

function Tile({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** Figures of a store that not every server has. */
function Store({ title, figures }: { title: string; figures: Record<string, unknown> | null }) {
  if (!figures) return null;
  return (
    <section className="card">
      <h2>{title}</h2>
      <dl className="figures">
        {Object.entries(figures).map(([name, value]) => (
          <div key={name}>
            <dt>{name.replaceAll("_", " ")}</dt>
            <dd>{typeof value === "number" ? value.toLocaleString("en") : String(value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
