/** A button that opens a list of actions: arrow keys, Home, End, Escape and a click outside do what one expects. */

import { type KeyboardEvent, type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from "react";

export interface MenuEntry {
  label: string;
  detail?: string;
  danger?: boolean;
  /** An address makes it a download. */
  href?: string;
  act?: () => void;
}

interface MenuProps {
  label: string;
  className?: string;
  button: ReactNode;
  entries: readonly MenuEntry[];
  disabled?: boolean;
}

export function Menu({ label, className = "icon-button", button, entries, disabled = false }: MenuProps) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();

  useLayoutEffect(() => {
    if (open && list.current) turnToRoom(list.current);
  }, [open]);

  useEffect(() => {
    if (!open) return;
    itemsIn(root.current)[0]?.focus();
    const outside = (event: PointerEvent): void => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);

  const close = (): void => {
    setOpen(false);
    opener.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!open) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    } else if (event.key === "Tab") setOpen(false);
    else if (moveFocus(itemsIn(root.current), event.key) || focusByLetter(itemsIn(root.current), event)) {
      event.preventDefault();
    }
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears the keys of the menu inside
    <div className="menu" ref={root} onKeyDown={onKeyDown}>
      <button
        type="button"
        ref={opener}
        className={className}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        aria-label={label}
        title={label}
        disabled={disabled}
        onClick={() => setOpen(!open)}
      >
        {button}
      </button>
      {open && (
        <div ref={list} className="menu-list" role="menu" id={id} aria-label={label}>
          {entries.map((entry) => (
            <MenuItem key={entry.label} entry={entry} close={close} />
          ))}
        </div>
      )}
    </div>
  );
}

function MenuItem({ entry, close }: { entry: MenuEntry; close: () => void }) {
  const className = entry.danger ? "menu-item danger" : "menu-item";
  const text = (
    <>
      <span>{entry.label}</span>
      {entry.detail && <small>{entry.detail}</small>}
    </>
  );
  if (entry.href) {
    return (
      <a className={className} role="menuitem" tabIndex={-1} href={entry.href} download onClick={close}>
        {text}
      </a>
    );
  }
  const act = (): void => {
    close();
    entry.act?.();
  };
  return (
    <button type="button" className={className} role="menuitem" tabIndex={-1} onClick={act}>
      {text}
    </button>
  );
}

/** A list that opens upwards and would begin above what scrolls around it opens downwards instead. */
function turnToRoom(list: HTMLElement): void {
  const top = list.closest(".thread-scroll")?.getBoundingClientRect().top ?? 0;
  list.classList.toggle("downwards", list.getBoundingClientRect().top < top);
}

function itemsIn(root: HTMLElement | null): HTMLElement[] {
  return root ? [...root.querySelectorAll<HTMLElement>('[role="menuitem"]')] : [];
}

/** A letter goes to the next entry that begins with it. */
function focusByLetter(items: readonly HTMLElement[], event: KeyboardEvent): boolean {
  if (event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return false;
  const after = items.indexOf(document.activeElement as HTMLElement) + 1;
  const ordered = [...items.slice(after), ...items.slice(0, after)];
  ordered.find((item) => item.textContent.toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
  return true;
}

/** Whether the key moved the focus. */
export function moveFocus(items: readonly HTMLElement[], key: string): boolean {
  const at = items.indexOf(document.activeElement as HTMLElement);
  const last = items.length - 1;
  const targets: Record<string, number> = {
    ArrowDown: at >= last ? 0 : at + 1,
    ArrowUp: at <= 0 ? last : at - 1,
    Home: 0,
    End: last,
  };
  const target = targets[key];
  if (target === undefined) return false;
  items[target]?.focus();
  return true;
}
