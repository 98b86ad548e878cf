/** Which addresses in a model's text may become links and pictures: the text is hostile input. */

import { artifactAddress } from "../api/client";

const LINKED = new Set(["http:", "https:", "mailto:"]);

/** The address of a link that may be followed, or null: `javascript:`, `data:` and the like stay text. */
export function linkTarget(address: string | undefined): string | null {
  if (!address) return null;
  try {
    const url = new URL(address);
    return LINKED.has(url.protocol) ? url.href : null;
  } catch {
    // Relative addresses would lead around in this page or into the API.
    return null;
  }
}

/** Where a picture is fetched from: only a file of this very run, from this very server; else null. */
export function pictureSource(address: string | undefined, run: string | null): string | null {
  if (!address || !run) return null;
  const prefix = artifactAddress(run, "");
  const name = address.startsWith(prefix)
    ? address.slice(prefix.length)
    : address.replace(/^(?:\.\/|artifact:|attachment:)/, "");
  return /^[\w][\w.\-% ]{0,200}$/.test(name) ? artifactAddress(run, decoded(name)) : null;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
