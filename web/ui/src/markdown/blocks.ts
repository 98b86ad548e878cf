/** Cuts Markdown into top-level blocks, so that a growing answer parses its last block again and not all of it. */

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const MATHS = /^ {0,3}\$\$\s*$/;
/** Lines that can carry on what a blank line seemed to end: list items, indented text. */
const CONTINUES = /^(?: {2,}|\t|[-*+] |\d{1,9}[.)] )/;
/** These give meaning to other blocks, so such a text is not cut. */
const DEFINITION = /^ {0,3}\[[^\]]+\]:/m;

export interface Block {
  text: string;
  /** A code fence that is still being written: its language and what is in it so far. */
  open: { language: string; code: string } | null;
}

export function blocksOf(text: string): Block[] {
  if (DEFINITION.test(text)) return [{ text, open: null }];
  const blocks: Block[] = [];
  let lines: string[] = [];
  let fence: string | null = null;
  let maths = false;

  const flush = (): void => {
    if (lines.some((line) => line.trim())) blocks.push({ text: lines.join("\n"), open: null });
    lines = [];
  };

  for (const line of text.split("\n")) {
    const previous = lines.at(-1);
    if (fence !== null) {
      lines.push(line);
      if (closes(line, fence)) {
        fence = null;
        flush();
      }
      continue;
    }
    if (maths) {
      lines.push(line);
      maths = !MATHS.test(line);
      continue;
    }
    if (previous?.trim() === "" && line.trim() && !carriesOn(lines, line)) flush();
    const opening = FENCE.exec(line)?.[1];
    if (opening) {
      flush();
      fence = opening;
    } else if (MATHS.test(line)) maths = true;
    lines.push(line);
  }
  if (fence !== null) blocks.push(openFence(lines));
  else flush();
  return blocks;
}

function closes(line: string, fence: string): boolean {
  const marks = FENCE.exec(line)?.[1];
  return marks !== undefined && marks[0] === fence[0] && marks.length >= fence.length && line.trim() === marks;
}

/** A list goes on over blank lines; so does what is indented under one. */
function carriesOn(lines: readonly string[], line: string): boolean {
  const first = lines.find((other) => other.trim());
  return first !== undefined && CONTINUES.test(line) && /^ {0,3}(?:[-*+] |\d{1,9}[.)] )/.test(first);
}

function openFence(lines: readonly string[]): Block {
  const language = (lines[0] ?? "").replace(/^[\s`~]+/, "").split(/\s/)[0] ?? "";
  return { text: lines.join("\n"), open: { language, code: lines.slice(1).join("\n") } };
}
