/** A model's text, drawn block by block as it grows. */

import { useEffect, useState } from "react";
import { blocksOf } from "./blocks";
import { CodeBlock } from "./code";
import type { DrawFormula } from "./formula";
import { mayHoldMaths, withDollars } from "./maths";
import { Prose } from "./prose";

interface MarkdownProps {
  text: string;
  /** The run whose files the text may show. */
  run: string | null;
  growing?: boolean;
}

export function Markdown({ text, run, growing = false }: MarkdownProps) {
  const draw = useMaths(mayHoldMaths(text));
  const blocks = blocksOf(withDollars(text));
  return (
    <div className="markdown">
      {blocks.map((block, index) =>
        block.open && growing ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: blocks are only ever added at the end
          <CodeBlock key={index} code={block.open.code} language={block.open.language} growing />
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: blocks are only ever added at the end
          <Prose key={index} text={block.text} run={run} draw={mayHoldMaths(block.text) ? draw : null} />
        ),
      )}
    </div>
  );
}

/** The maths renderer once they are here; the text stands as written until then. */
function useMaths(needed: boolean): DrawFormula | null {
  const [renderer, setRenderer] = useState<DrawFormula | null>(null);
  useEffect(() => {
    if (!needed || renderer) return;
    let wanted = true;
    import("./maths-renderer")
      .then(({ drawFormula }) => {
        if (wanted) setRenderer(() => drawFormula);
      })
      // Without the renderer (the gateway is away just now) formulas stay readable as source.
      .catch(() => undefined);
    return () => {
      wanted = false;
    };
  }, [needed, renderer]);
  return renderer;
}
