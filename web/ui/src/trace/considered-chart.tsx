import type { Considered } from "../run/events";
import { routeLabel } from "../run/route";
import { percent } from "../shell/format";

/** The routes that were weighed: predicted success as a bar, predicted cost beside it. A table for screen readers. */
export function ConsideredChart({ considered, chosen }: { considered: readonly Considered[]; chosen: string }) {
  if (!considered.length) return null;
  const rows = considered.filter((row, index) => considered.findIndex((other) => other.route === row.route) === index);
  if (rows.every((row) => row.success === null && row.cost === null))
    return <Unestimated rows={rows} chosen={chosen} />;
  const dearest = Math.max(1, ...rows.map((row) => row.cost ?? 0));
  return (
    <table className="considered">
      <thead>
        <tr>
          <th scope="col">Considered</th>
          <th scope="col">Success</th>
          <th scope="col">Cost</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.route} className={row.route === chosen ? "chosen" : undefined}>
            <th scope="row">
              {routeLabel(row.route)}
              {row.route === chosen && <span className="visually-hidden"> (chosen)</span>}
            </th>
            <td title={measured(row)}>
              <Bar share={row.success} className="bar-success" />
              {row.success === null ? "unknown" : percent(row.success)}
            </td>
            <td>
              <Bar share={row.cost === null ? null : row.cost / dearest} className="bar-cost" />
              {row.cost === null ? "unknown" : `${row.cost.toFixed(2)}×`}
            </td>
          </tr>
        ))}
      </tbody>
      <caption>
        Cost is relative to the large model reasoning step by step.
        {rows.some((row) => row.n) && " Success was measured on known questions."}
      </caption>
    </table>
  );
}

/** How sure a measured success is, for whoever points at it. */
function measured(row: Considered): string | undefined {
  if (!row.n || !row.interval) return undefined;
  const [low, high] = row.interval;
  return `Measured on ${row.n} questions: between ${percent(low)} and ${percent(high)} with 95 % confidence`;
}

/** Bars without lengths would only look like knowledge. */
function Unestimated({ rows, chosen }: { rows: readonly Considered[]; chosen: string }) {
  const others = rows.filter((row) => row.route !== chosen).map((row) => routeLabel(row.route));
  if (!others.length) return null;
  return (
    <p className="reason">{`Also considered: ${others.join(", ")}. There are no estimates for these routes yet.`}</p>
  );
}

function Bar({ share, className }: { share: number | null; className: string }) {
  return (
    <svg className="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect className="bar-ground" width="100" height="6" />
      {share !== null && <rect className={className} width={Math.max(1, Math.min(1, share) * 100)} height="6" />}
    </svg>
  );
}
