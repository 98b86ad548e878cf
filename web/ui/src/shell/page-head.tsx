import type { ReactNode } from "react";
import { Icon } from "./icons";

export function PageHead({ title, openList, children }: { title: string; openList: () => void; children?: ReactNode }) {
  return (
    <header className="page-head">
      <button type="button" className="icon-button only-narrow" onClick={openList} aria-label="Open the list">
        <Icon name="menu" />
      </button>
      <h1>{title}</h1>
      {children}
    </header>
  );
}
