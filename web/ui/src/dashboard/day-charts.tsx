/** Values by day as lines or stacked bars; the same numbers stand in a table for those who do not see them. */

import type { ReactNode } from "react";
import type { DashboardDay } from "../api/types";
import { linePath, roundUp } from "./scale";

interface Series {
  name: string;
  value: (day: DashboardDay) => number | null;
}

interface ChartProps {
  title: string;
  days: readonly DashboardDay[];
  show: (value: number) => string;
}

const WIDTH = 320;
const HEIGHT = 120;

export function DayLines({ title, days, lines, show }: ChartProps & { lines: readonly Series[] }) {
  const top = roundUp(Math.max(0, ...days.flatMap((day) => lines.map((line) => line.value(day) ?? 0))));
  const x = (index: number): number => (days.length < 2 ? WIDTH / 2 : (index / (days.length - 1)) * WIDTH);
  const y = (value: number): number => HEIGHT - (value / top) * HEIGHT;
  return (
    <Chart title={title} days={days} series={lines} show={show} top={top}>
      {lines.map((line, index) => {
        const values = days.map(line.value);
        return (
          <g key={line.name} className={`series-${index}`}>
            <path className="line" d={linePath(values, x, y)} />
            {values.map((value, day) =>
              // biome-ignore lint/suspicious/noArrayIndexKey: days do not move
              value === null ? null : <path key={day} className="line dot-mark" d={`M${x(day)} ${y(value)}h0`} />,
            )}
          </g>
        );
      })}
    </Chart>
  );
}

export function DayBars({ title, days, parts, show }: ChartProps & { parts: readonly Series[] }) {
  const total = (day: DashboardDay): number => parts.reduce((sum, part) => sum + (part.value(day) ?? 0), 0);
  const top = roundUp(Math.max(0, ...days.map(total)));
  const slot = WIDTH / Math.max(1, days.length);
  return (
    <Chart title={title} days={days} series={parts} show={show} top={top}>
      {days.map((day, index) => {
        let below = 0;
        return (
          <g key={day.day}>
            {parts.map((part, at) => {
              const height = ((part.value(day) ?? 0) / top) * HEIGHT;
              below += height;
              return (
                <rect
                  key={part.name}
                  className={`fill-${at}`}
                  x={index * slot + slot * 0.15}
                  width={slot * 0.7}
                  y={HEIGHT - below}
                  height={height}
                />
              );
            })}
          </g>
        );
      })}
    </Chart>
  );
}

function Chart({
  title,
  days,
  series,
  show,
  top,
  children,
}: ChartProps & { series: readonly Series[]; top: number; children: ReactNode }) {
  return (
    <figure className="card chart">
      <figcaption>
        <h2>{title}</h2>
        {series.length > 1 && (
          <span className="legend">
            {series.map((one, index) => (
              <span key={one.name}>
                <i className={`dot fill-${index}`} aria-hidden="true" />
                {one.name}
              </span>
            ))}
          </span>
        )}
      </figcaption>
      <div className="plot" aria-hidden="true">
        <span className="tick-top">{show(top)}</span>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          <path className="grid" d={`M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}`} />
          {children}
        </svg>
        <span className="tick-days">
          <span>{days[0]?.day}</span>
          <span>{days.length > 1 && days.at(-1)?.day}</span>
        </span>
      </div>
      {/* A table itself cannot be made narrower than its words. */}
      <div className="visually-hidden">
        <table>
          <caption>{title}</caption>
          <thead>
            <tr>
              <th scope="col">Day</th>
              {series.map((one) => (
                <th key={one.name} scope="col">
                  {one.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {days.map((day) => (
              <tr key={day.day}>
                <th scope="row">{day.day}</th>
                {series.map((one) => {
                  const value = one.value(day);
                  return <td key={one.name}>{value === null ? "none" : show(value)}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}
