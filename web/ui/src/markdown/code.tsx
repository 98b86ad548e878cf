/** A block of code with its language, a copy button and colours that are loaded when first needed. */

import { memo, type ReactNode, useEffect, useState } from "react";
import { CopyButton } from "../shell/copy-button";

/** Longer code stays plain: colouring it would hold the page up. */
const LONGEST_COLOURED = 30_000;

interface CodeBlockProps {
  code: string;
  language: string;
  /** Still being written: colours wait until it is whole. */
  growing?: boolean;
}

export const CodeBlock = memo(function CodeBlock({ code, language, growing = false }: CodeBlockProps) {
  const coloured = useColours(code, language, growing);
  return (
    <figure className="code-block">
      <figcaption>
        <span>{language || "text"}</span>
        {!growing && <CopyButton text={code} label="Copy code" />}
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines scroll by keyboard */}
      <pre tabIndex={0}>
        <code>{coloured ?? code}</code>
      </pre>
    </figure>
  );
});

function useColours(code: string, language: string, growing: boolean): ReactNode {
  const [coloured, setColoured] = useState<{ code: string; nodes: ReactNode } | null>(null);
  useEffect(() => {
    if (growing || !language || code.length > LONGEST_COLOURED) return;
    let wanted = true;
    import("./highlight")
      .then(({ highlighted }) => {
        if (wanted) setColoured({ code, nodes: highlighted(code, language) });
      })
      // Without the colours (the gateway is away just now) the code stands there all the same.
      .catch(() => undefined);
    return () => {
      wanted = false;
    };
  }, [code, language, growing]);
  return coloured?.code === code ? coloured.nodes : null;
}
