import type { Plugin } from "vite";

/** KaTeX names each of its fonts in three formats; every browser that runs this page reads the first. */
export function onlyWoff2(): Plugin {
  return {
    name: "only-woff2",
    enforce: "pre",
    transform: {
      filter: { id: /katex(\.min)?\.css$/ },
      handler: (css) => css.replace(/,url\([^)]+\.(?:woff|ttf)\) ?format\("(?:woff|truetype)"\)/g, ""),
    },
  };
}
