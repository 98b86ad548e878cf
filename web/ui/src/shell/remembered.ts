/** Small choices that this browser keeps. A browser that keeps nothing gets the defaults every time. */

import { useState } from "react";

type Check<T> = (value: unknown) => value is T;

export function remembered<T>(name: string, check: Check<T>, otherwise: T): T {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(`tandem.${name}`) ?? "null");
    return check(value) ? value : otherwise;
  } catch {
    return otherwise;
  }
}

export function remember(name: string, value: unknown): void {
  try {
    localStorage.setItem(`tandem.${name}`, JSON.stringify(value));
  } catch {
    // Private windows and full disks refuse; the choice then holds for this page only.
  }
}

export function useRemembered<T>(name: string, check: Check<T>, otherwise: T): [T, (value: T) => void] {
  const [value, setValue] = useState(() => remembered(name, check, otherwise));
  const change = (next: T): void => {
    setValue(next);
    remember(name, next);
  };
  return [value, change];
}

export function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}
