/** The list of conversations: searched, paged, kept current. */

import { useCallback, useEffect, useState } from "react";
import { deleteConversation, listConversations, renameConversation } from "../api/client";
import { messageOf } from "../api/http";
import type { Conversation } from "../api/types";
import { tell, useNews } from "../shell/news";

const TYPING_MS = 200;

export interface Conversations {
  items: Conversation[] | null;
  search: string;
  setSearch: (search: string) => void;
  more: (() => void) | null;
  problem: string | null;
  reload: () => void;
  rename: (id: string, title: string) => Promise<void>;
  remove: (id: string) => Promise<boolean>;
}

export function useConversations(): Conversations {
  const [items, setItems] = useState<Conversation[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [search, setSearch] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [asked, setAsked] = useState(0);
  const reload = useCallback(() => setAsked((count) => count + 1), []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `asked` is what asks for the list again
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(
      async () => {
        try {
          const page = await listConversations(search, null, abort.signal);
          setItems(page.data);
          setNext(page.next);
          setProblem(null);
        } catch (error) {
          if (!abort.signal.aborted) setProblem(messageOf(error));
        }
      },
      search ? TYPING_MS : 0,
    );
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [search, asked]);

  useNews((news) => {
    if (news.about === "conversations" || news.about === "thread") reload();
  });

  const more = async (): Promise<void> => {
    try {
      const page = await listConversations(search, next);
      setItems((before) => [...(before ?? []), ...page.data]);
      setNext(page.next);
    } catch (error) {
      setProblem(messageOf(error));
    }
  };

  const attempt = async (work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
      tell({ about: "conversations" });
      return true;
    } catch (error) {
      setProblem(messageOf(error));
      return false;
    } finally {
      reload();
    }
  };

  return {
    items,
    search,
    setSearch,
    more: next === null ? null : () => void more(),
    problem,
    reload,
    rename: async (id, title) => {
      await attempt(() => renameConversation(id, title));
    },
    remove: (id) => attempt(() => deleteConversation(id)),
  };
}
