/** The maths renderer, loaded when a text first needs it. */

import rehypeKatex from "rehype-katex";
import remarkMath from "remark-math";
import "katex/dist/katex.min.css";
import type { Plugins } from "./prose";

export const maths: Plugins = {
  remark: [[remarkMath, { singleDollarTextMath: false }]],
  // A formula that cannot be read is shown as it was written. Without trust no formula can link or load anything.
  rehype: [[rehypeKatex, { throwOnError: false, strict: "ignore", trust: false, maxExpand: 500, maxSize: 40 }]],
};
