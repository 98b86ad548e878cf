/** One block of Markdown. HTML in it is shown as text; links and pictures only where `addresses` allows them. */

import { type ComponentProps, memo } from "react";
import ReactMarkdown, { type Components, type Options } from "react-markdown";
import remarkGfm from "remark-gfm";
import { linkTarget, pictureSource } from "./addresses";
import { CodeBlock } from "./code";

export interface Plugins {
  remark: NonNullable<Options["remarkPlugins"]>;
  rehype: NonNullable<Options["rehypePlugins"]>;
}

interface ProseProps {
  text: string;
  run: string | null;
  maths: Plugins | null;
}

export const Prose = memo(function Prose({ text, run, maths }: ProseProps) {
  return (
    <ReactMarkdown
      remarkPlugins={[remarkGfm, ...(maths?.remark ?? [])]}
      rehypePlugins={maths?.rehype ?? []}
      components={componentsFor(run)}
      // Addresses are judged where they are used, so that a refused one can be shown.
      urlTransform={(address) => address}
    >
      {text}
    </ReactMarkdown>
  );
});

function componentsFor(run: string | null): Components {
  return {
    a: ({ href, children }) => <Anchor href={href}>{children}</Anchor>,
    img: ({ src, alt }) => <Picture source={typeof src === "string" ? src : undefined} alt={alt ?? ""} run={run} />,
    table: ({ children }) => (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls by keyboard
      <section className="table-scroll" aria-label="Table" tabIndex={0}>
        <table>{children}</table>
      </section>
    ),
    pre: ({ node }) => {
      const code = node?.children[0];
      if (code?.type !== "element") return null;
      const names = code.properties["className"];
      const language = Array.isArray(names) ? String(names[0] ?? "").replace(/^language-/, "") : "";
      const text = code.children.map((child) => (child.type === "text" ? child.value : "")).join("");
      return <CodeBlock code={text.replace(/\n$/, "")} language={language} />;
    },
    input: ({ checked }) => <input type="checkbox" checked={checked ?? false} readOnly disabled />,
    // A page has one h1, and it is not the model's.
    h1: ({ children }) => <h3>{children}</h3>,
    h2: ({ children }) => <h4>{children}</h4>,
    h3: ({ children }) => <h5>{children}</h5>,
    h4: ({ children }) => <h6>{children}</h6>,
  };
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
