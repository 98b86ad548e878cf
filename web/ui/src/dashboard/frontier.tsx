/** Accuracy against cost of the last benchmark, one dataset at a time, with 95 % intervals. */

import { type RefObject, useEffect, useRef, useState } from "react";
import type { FrontierPoint } from "../api/types";
import { percent } from "../shell/format";
import { placeLabels, roundUp } from "./scale";

const WIDTH = 480;
const HEIGHT = 220;
const EDGE = 8;

type Placed = FrontierPoint & { cost: number };

export function Frontier({ points }: { points: readonly FrontierPoint[] }) {
  const datasets = [...new Set(points.map((point) => `${point.bench} · ${point.dataset}`))];
  const [chosen, setChosen] = useState<string | null>(null);
  const dataset = datasets.includes(chosen ?? "") ? chosen : datasets[0];
  if (!dataset) return null;
  const placed = points.filter(
    (point): point is Placed => `${point.bench} · ${point.dataset}` === dataset && point.cost !== null,
  );
  return (
    <section className="card frontier">
      <header>
        <h2>Quality against cost, last benchmark</h2>
        <label>
          <span className="visually-hidden">Benchmark and dataset</span>
          <select value={dataset} onChange={(event) => setChosen(event.target.value)}>
            {datasets.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      </header>
      <Plot points={placed} />
      <FrontierTable points={placed} />
    </section>
  );
}

function Plot({ points }: { points: readonly Placed[] }) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const right = roundUp(Math.max(0, ...points.map((point) => point.cost)));
  const x = (cost: number): number => EDGE + (cost / right) * (width - 2 * EDGE);
  const y = (accuracy: number): number => HEIGHT - EDGE - accuracy * (HEIGHT - 2 * EDGE);
  const best = undominated(points);
  const labels = placeLabels(
    best.map((point) => ({ text: nameOf(point), x: x(point.cost), y: y(point.accuracy) })),
    width,
  );
  return (
    <div className="plot" aria-hidden="true" ref={box}>
      <span className="tick-top">100 %</span>
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} aria-hidden="true">
        <path className="grid" d={`M0 ${y(1)}H${width}M0 ${y(0.5)}H${width}M0 ${y(0)}H${width}`} />
        {points.map((point, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: points do not move
          <g key={index} className={best.includes(point) ? "best" : "other"}>
            <title>{nameOf(point)}</title>
            {point.ci95 && (
              <path className="interval" d={`M${x(point.cost)} ${y(point.ci95[0])}V${y(point.ci95[1])}`} />
            )}
            <circle cx={x(point.cost)} cy={y(point.accuracy)} r="4.5" />
          </g>
        ))}
        {labels.map((label) => (
          <text key={label.text} x={label.x} y={label.y} textAnchor={label.anchor}>
            {label.text}
          </text>
        ))}
      </svg>
      <span className="tick-days">
        <span>cost 0</span>
        <span>{right}</span>
      </span>
    </div>
  );
}

/** The width in pixels that an element has, as it changes. */
function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(WIDTH);
  useEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.max(200, entry.contentRect.width)));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return width;
}

function FrontierTable({ points }: { points: readonly Placed[] }) {
  const rows = [...points].sort((a, b) => a.cost - b.cost);
  return (
    <details>
      <summary>The figures</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls by keyboard */}
      <section className="table-scroll" aria-label="Benchmark figures" tabIndex={0}>
        <table className="routes">
          <thead>
            <tr>
              <th scope="col">System</th>
              <th scope="col">Accuracy</th>
              <th scope="col">95 % interval</th>
              <th scope="col">Questions</th>
              <th scope="col">Cost</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((point, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows do not move
              <tr key={index}>
                <th scope="row">{nameOf(point)}</th>
                <td>{percent(point.accuracy)}</td>
                <td>{point.ci95 ? `${percent(point.ci95[0])} to ${percent(point.ci95[1])}` : "–"}</td>
                <td>{point.n}</td>
                <td>{point.cost.toFixed(2)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}

/** Points that no other one beats in accuracy at the same or a lower cost. */
export function undominated(points: readonly Placed[]): Placed[] {
  return points.filter(
    (point) =>
      !points.some(
        (other) =>
          other !== point &&
          other.cost <= point.cost &&
          other.accuracy >= point.accuracy &&
          (other.cost < point.cost || other.accuracy > point.accuracy),
      ),
  );
}

/** A fixed route is the same at every setting; other systems say theirs, if they do not by name. */
function nameOf({ system, setting }: FrontierPoint): string {
  return !setting || system.includes("(") || system.includes(setting) ? system : `${system} ${setting}`;
}
