import { memo, useLayoutEffect, useRef } from "react";

export type DrawFormula = (formula: string, element: HTMLElement, displayed: boolean) => void;

interface FormulaProps {
  formula: string;
  displayed: boolean;
  /** Null until the renderer is loaded: the formula stands there as it was written. */
  draw: DrawFormula | null;
}

/** One formula; KaTeX owns what is inside the element. */
export const Formula = memo(function Formula({ formula, displayed, draw }: FormulaProps) {
  const element = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    if (!element.current) return;
    if (draw) draw(formula, element.current, displayed);
    else element.current.textContent = formula;
  }, [formula, displayed, draw]);
  return <span ref={element} className={displayed ? "formula displayed" : "formula"} />;
});
