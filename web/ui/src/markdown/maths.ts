/** Models write maths as `\(…\)`, `\[…\]`, `$…$` and `$$…$$`; this makes all of it the one form that is parsed.
 *
 * A dollar sign is also money: `$…$` counts as maths only where pandoc would take it so – no space just inside the
 * signs and no digit after the closing one.
 */

const CODE = /(^ {0,3}(`{3,}|~{3,})[\s\S]*?(?:^ {0,3}\2[`~]*\s*$|$(?![\s\S]))|(`+)(?!`)[\s\S]*?[^`]\3(?!`))/gm;
const DISPLAY = /\\\[([\s\S]+?)\\\]|^[ \t]*\$\$(?!\$)([^\n]+?)\$\$[ \t]*$/gm;
const INLINE = /\\\(([\s\S]+?)\\\)|(?<![\\$\w])\$(?![\s$])([^\n$]*?[^\s$\\])\$(?![\d$])/g;

/** Cheap to ask, and errs towards yes: whether the maths renderer is worth loading. */
export function mayHoldMaths(text: string): boolean {
  return /\$|\\\(|\\\[/.test(text);
}

export function withDollars(text: string): string {
  if (!mayHoldMaths(text)) return text;
  let result = "";
  let end = 0;
  for (const match of text.matchAll(CODE)) {
    result += rewritten(text.slice(end, match.index)) + match[0];
    end = match.index + match[0].length;
  }
  return result + rewritten(text.slice(end));
}

function rewritten(prose: string): string {
  const displayed = (_: string, bracketed?: string, dollars?: string): string =>
    `\n$$\n${(bracketed ?? dollars ?? "").trim()}\n$$\n`;
  const inline = (_: string, bracketed?: string, dollars?: string): string =>
    `$$${(bracketed ?? dollars ?? "").trim()}$$`;
  return prose.replace(DISPLAY, displayed).replace(INLINE, inline);
}
