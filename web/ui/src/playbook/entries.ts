/** The playbook's endpoints. */

import { call } from "../api/http";

export interface Entry {
  id: string;
  kind?: string;
  name?: string;
  instruction?: string;
  wins?: number;
  trials?: number;
  pinned?: boolean;
  disabled?: boolean;
}

export async function listEntries(): Promise<Entry[]> {
  return (await call<{ data: Entry[] }>("GET", "/v1/playbook")).data;
}

export const changeEntry = (id: string, fields: Partial<Pick<Entry, "pinned" | "disabled">>): Promise<unknown> =>
  call("PATCH", `/v1/playbook/${encodeURIComponent(id)}`, fields);

export const entryTitle = (entry: Entry): string => entry.name ?? entry.id;
