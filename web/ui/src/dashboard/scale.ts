/** Scales of small charts. */

/** The next round number that is not below `value`: 1, 1.5, 2, 3, 4, 5, 6 or 8 times a power of ten. */
export function roundUp(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((factor) => factor * power >= value * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** The pieces of a line; a day without a value is a gap and not a zero. */
export function linePath(
  values: readonly (number | null)[],
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  let path = "";
  let drawing = false;
  values.forEach((value, index) => {
    if (value === null) {
      drawing = false;
      return;
    }
    path += `${drawing ? "L" : "M"}${x(index).toFixed(2)} ${y(value).toFixed(2)}`;
    drawing = true;
  });
  return path;
}

interface Spot {
  text: string;
  x: number;
  y: number;
}

export interface Label extends Spot {
  anchor: "start" | "end";
}

const LETTER = 7;
const LINE = 14;
const GAP = 9;

/** Puts names beside their points, on the inner side; one that would lie on another moves up, line by line. */
export function placeLabels(spots: readonly Spot[], width: number): Label[] {
  const placed: { left: number; right: number; y: number }[] = [];
  return spots.map((spot) => {
    const end = spot.x > width * 0.7;
    const length = spot.text.length * LETTER;
    const left = end ? spot.x - GAP - length : spot.x + GAP;
    const lies = (y: number): boolean =>
      placed.some((other) => Math.abs(other.y - y) < LINE && left < other.right && left + length > other.left);
    let y = spot.y + 4;
    while (lies(y) && y > LINE) y -= LINE;
    placed.push({ left, right: left + length, y });
    return { text: spot.text, x: end ? spot.x - GAP : spot.x + GAP, y, anchor: end ? "end" : "start" };
  });
}
