/** One block of Markdown. HTML in it is shown as text; links and pictures only where `addresses` allows them. */

import type { Element } from "hast";
import { type ComponentProps, memo, useMemo } from "react";
import ReactMarkdown, { type Components, type Options } from "react-markdown";
import remarkGfm from "remark-gfm";
import remarkMath from "remark-math";
import { linkTarget, pictureSource } from "./addresses";
import { CodeBlock } from "./code";
import { type DrawFormula, Formula } from "./formula";

interface ProseProps {
  text: string;
  run: string | null;
  /** Null where no formula was met yet, or their renderer is not loaded yet. */
  draw: DrawFormula | null;
}

/** Formulas are parsed even before they can be drawn: nothing inside one may become a link in the meantime. */
const PLUGINS: NonNullable<Options["remarkPlugins"]> = [remarkGfm, [remarkMath, { singleDollarTextMath: false }]];

/** Addresses are judged where they are used, so that a refused one can be shown. */
const unchanged = (address: string): string => address;

export const Prose = memo(function Prose({ text, run, draw }: ProseProps) {
  const components = useMemo(() => componentsFor(run, draw), [run, draw]);
  return (
    <ReactMarkdown remarkPlugins={PLUGINS} components={components} urlTransform={unchanged}>
      {text}
    </ReactMarkdown>
  );
});

function componentsFor(run: string | null, draw: DrawFormula | null): Components {
  return {
    a: ({ href, children }) => <Anchor href={href}>{children}</Anchor>,
    img: ({ src, alt }) => <Picture source={typeof src === "string" ? src : undefined} alt={alt ?? ""} run={run} />,
    table: ({ children }) => (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls by keyboard
      <div className="table-scroll" tabIndex={0}>
        <table>{children}</table>
      </div>
    ),
    code: ({ node, children }) =>
      node && classesOf(node).includes("math-inline") ? (
        <Formula formula={textOf(node)} displayed={false} draw={draw} />
      ) : (
        <code>{children}</code>
      ),
    pre: ({ node }) => {
      const code = node?.children[0];
      return code?.type === "element" ? <Preformatted code={code} draw={draw} /> : null;
    },
    input: ({ checked }) => (
      <input type="checkbox" checked={checked ?? false} aria-label={checked ? "done" : "to do"} readOnly disabled />
    ),
    // A page has one h1, and it is not the model's.
    h1: ({ children }) => <h3>{children}</h3>,
    h2: ({ children }) => <h4>{children}</h4>,
    h3: ({ children }) => <h5>{children}</h5>,
    h4: ({ children }) => <h6>{children}</h6>,
  };
}

function Preformatted({ code, draw }: { code: Element; draw: DrawFormula | null }) {
  const classes = classesOf(code);
  if (classes.includes("math-display")) {
    return <Formula formula={textOf(code)} displayed draw={draw} />;
  }
  const language = classes.find((name) => name.startsWith("language-"))?.slice("language-".length) ?? "";
  return <CodeBlock code={textOf(code).replace(/\n$/, "")} language={language} />;
}

function classesOf(node: Element): string[] {
  const names = node.properties["className"];
  return Array.isArray(names) ? names.map(String) : [];
}

function textOf(node: Element): string {
  return node.children.map((child) => (child.type === "text" ? child.value : "")).join("");
}

function Anchor({ href, children }: ComponentProps<"a">) {
  const target = linkTarget(href);
  if (!target) return <span className="inert-link">{children}</span>;
  return (
    <a href={target} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

function Picture({ source, alt, run }: { source: string | undefined; alt: string; run: string | null }) {
  const address = pictureSource(source, run);
  if (!address) {
    return (
      <span className="inert-picture" role="note">
        Picture not loaded{alt && `: ${alt}`}
        {source && <code>{source.length > 120 ? `${source.slice(0, 120)}…` : source}</code>}
      </span>
    );
  }
  return <img src={address} alt={alt} loading="lazy" />;
}
