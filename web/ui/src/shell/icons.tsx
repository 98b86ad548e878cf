/** Line icons on a 20-unit grid; they take the colour of the text and are hidden from screen readers. */

const PATHS = {
  plus: "M10 4v12M4 10h12",
  search: "M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12ZM13.5 13.5 17 17",
  send: "M10 16V4M5 9l5-5 5 5",
  stop: "M6 6h8v8H6z",
  copy: "M7 7h9v9H7zM4 13V4h9",
  check: "M4 10.5 8 14.5 16 5.5",
  cross: "M5 5l10 10M15 5 5 15",
  edit: "M4 16l.8-3.5L13 4.3l2.7 2.7-8.2 8.2L4 16Z",
  again: "M4 10a6 6 0 0 1 10.5-4L16 7.5M16 4v3.5h-3.5M16 10a6 6 0 0 1-10.5 4L4 12.500M4 16v-3.5h3.5",
  left: "M12 5l-5 5 5 5",
  right: "M8 5l5 5-5 5",
  down: "M5 8l5 5 5-5",
  up: "M7 9V17H4V9h3Zm0 0 3.500-6c1.500 0 2 1 1.700 2.200L11.500 8H15c1.200 0 1.900 1 1.600 2.100l-1.300 5.300c-.2 1-1 1.600-2 1.600H7",
  dislike:
    "M7 11V3H4v8h3Zm0 0 3.500 6c1.500 0 2-1 1.700-2.200L11.500 12H15c1.200 0 1.900-1 1.600-2.100L15.300 4.600c-.2-1-1-1.600-2-1.600H7",
  trace: "M5 4v12M5 7h5a3 3 0 0 1 3 3v0a3 3 0 0 0 3 3",
  compare: "M4 4h5v12H4zM11 4h5v12h-5z",
  tint: "M10 3c3 3.500 5 5.700 5 8.500a5 5 0 0 1-10 0C5 8.700 7 6.500 10 3ZM10 3v13.500",
  menu: "M3 6h14M3 10h14M3 14h14",
  more: "M5 10h.01M10 10h.01M15 10h.01",
  chart: "M4 16V9M10 16V4M16 16v-5",
  book: "M4 4h5a2 2 0 0 1 2 2v10a2 2 0 0 0-2-1.500H4zM16 4h-3a2 2 0 0 0-2 2v10a2 2 0 0 1 2-1.500h3z",
  chat: "M4 5h12v9H9l-4 3v-3H4z",
  sun: "M10 6.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7ZM10 2v1.500M10 16.500V18M2 10h1.500M16.500 10H18M4.300 4.300l1.100 1.100M14.600 14.600l1.100 1.100M4.300 15.700l1.100-1.100M14.600 5.400l1.100-1.100",
  moon: "M16 11.500A6.500 6.500 0 0 1 8.500 4a6.500 6.500 0 1 0 7.500 7.500Z",
  auto: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  sliders: "M4 6h7M15 6h1M4 14h1M9 14h7M13 4v4M7 12v4",
  leave: "M8 4H4v12h4M8 10h9M14 7l3 3-3 3",
  file: "M5 3h6l4 4v10H5zM11 3v4h4",
  warning: "M10 4 2.500 16.500h15zM10 9v3.500M10 14.500h.01",
  keyboard: "M2.500 6h15v9h-15zM5.500 9h.01M8.500 9h.01M11.500 9h.01M14.500 9h.01M6.500 12h7",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
