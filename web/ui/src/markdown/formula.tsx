import { memo, useLayoutEffect, useRef } from "react";

export type DrawFormula = (formula: string, element: HTMLElement, displayed: boolean) => void;

interface FormulaProps {
  formula: string;
  displayed: boolean;
  draw: DrawFormula;
}

/** One formula; KaTeX owns what is inside the element. */
export const Formula = memo(function Formula({ formula, displayed, draw }: FormulaProps) {
  const element = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    if (element.current) draw(formula, element.current, displayed);
  }, [formula, displayed, draw]);
  return <span ref={element} className={displayed ? "formula displayed" : "formula"} />;
});
