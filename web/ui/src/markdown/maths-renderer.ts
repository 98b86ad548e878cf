/** The maths renderer, in a chunk that is loaded when a text first needs it. */

import katex from "katex";
import "katex/dist/katex.min.css";
import type { DrawFormula } from "./formula";

/** KaTeX builds elements and sets their styles one by one, which a strict content security policy allows, where the
 * same as HTML would not be. Without trust no formula can link or load anything; one that cannot be read is shown as it
 * was written. */
export const drawFormula: DrawFormula = (formula, element, displayed) => {
  try {
    katex.render(formula, element, {
      displayMode: displayed,
      throwOnError: true,
      strict: "ignore",
      trust: false,
      maxExpand: 500,
      maxSize: 40,
    });
  } catch (error) {
    if (!(error instanceof katex.ParseError)) throw error;
    element.textContent = formula;
  }
};
