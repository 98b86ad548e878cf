import type { ReactNode } from "react";
import { Icon } from "./icons";

interface NoticeProps {
  children: ReactNode;
  action?: { label: string; act: () => void };
  onClose?: () => void;
}

/** Something went wrong: what, and what to do. Screen readers hear it at once. */
export function Notice({ children, action, onClose }: NoticeProps) {
  return (
    <div className="notice" role="alert">
      <Icon name="warning" />
      <span>{children}</span>
      {action && (
        <button type="button" className="button small" onClick={action.act}>
          {action.label}
        </button>
      )}
      {onClose && (
        <button type="button" className="icon-button" aria-label="Dismiss" onClick={onClose}>
          <Icon name="cross" />
        </button>
      )}
    </div>
  );
}
