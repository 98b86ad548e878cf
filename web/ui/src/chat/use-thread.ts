/** One conversation as this tab sees it, and what can be done with it. */

import { useCallback, useEffect, useRef, useState } from "react";
import { answerAgain, ask, cancelRun, createConversation, rateRun, readConversation } from "../api/client";
import { ApiError, messageOf } from "../api/http";
import type { AnswerOptions, Rating, RunStatus, Turn } from "../api/types";
import { tell, useNews } from "../shell/news";
import { addressOf, go } from "../shell/route";
import { type Choices, choose, withTurns } from "./tree";

export interface Outcome {
  status: RunStatus;
  text: string;
  route: string | null;
  error: string | null;
}

export interface ThreadView {
  id: string | null;
  title: string;
  turns: Turn[];
  choices: Choices;
  loading: boolean;
  /** Something between sending and the server's answer to that. */
  sending: boolean;
  problem: { message: string; again: (() => void) | null } | null;
  dismiss: () => void;
  /** Resolves to whether the turn was taken; what was typed must not be lost otherwise. */
  send: (parent: string | null, content: string, options: AnswerOptions) => Promise<boolean>;
  again: (userTurn: string, options: AnswerOptions) => Promise<Turn | null>;
  stop: (turn: Turn) => Promise<void>;
  rate: (turn: Turn, rating: Rating | 0, reason?: string) => Promise<void>;
  show: (turn: Turn) => void;
  /** A followed run came to its end. */
  settle: (turn: string, outcome: Outcome) => void;
  refresh: () => Promise<void>;
}

export function useThread(id: string | null, listChanged: () => void): ThreadView {
  const [title, setTitle] = useState("");
  const [turns, setTurns] = useState<Turn[]>([]);
  const [choices, setChoices] = useState<Choices>({});
  const [loading, setLoading] = useState(id !== null);
  const [sending, setSending] = useState(false);
  const [problem, setProblem] = useState<ThreadView["problem"]>(null);
  /** The conversation that this state belongs to; null for one that is made with its first question. */
  const current = useRef<string | null | undefined>(undefined);

  const report = useCallback((error: unknown, again: (() => void) | null = null) => {
    setProblem({ message: messageOf(error), again });
  }, []);

  const load = useCallback(
    async (conversation: string, signal?: AbortSignal): Promise<void> => {
      try {
        const thread = await readConversation(conversation, signal);
        if (signal?.aborted || current.current !== conversation) return;
        setTitle(thread.title);
        setTurns(thread.turns);
        setProblem(null);
      } catch (error) {
        if (signal?.aborted || current.current !== conversation) return;
        if (error instanceof ApiError && error.status === 404) {
          setProblem({ message: "There is no such conversation here; it may have been deleted.", again: null });
        } else report(error, () => void load(conversation));
      } finally {
        if (!signal?.aborted && current.current === conversation) setLoading(false);
      }
    },
    [report],
  );

  useEffect(() => {
    if (id === current.current) return;
    current.current = id;
    setTitle("");
    setTurns([]);
    setChoices({});
    setProblem(null);
    setLoading(id !== null);
    if (id === null) return;
    const abort = new AbortController();
    void load(id, abort.signal);
    return () => {
      abort.abort();
      // React runs effects twice while developing; the second time must load again.
      if (current.current === id) current.current = undefined;
    };
  }, [id, load]);

  const refresh = useCallback(async () => {
    if (current.current) await load(current.current);
  }, [load]);

  useNews((news) => {
    if (news.about === "thread" && news.conversation === current.current) void refresh();
  });

  const changed = (): void => {
    if (current.current) tell({ about: "thread", conversation: current.current });
    listChanged();
  };

  const take = (...taken: Turn[]): void => {
    setTurns((before) => withTurns(before, taken));
    setChoices((before) => taken.reduce(choose, before));
  };

  const send: ThreadView["send"] = async (parent, content, options) => {
    setSending(true);
    setProblem(null);
    try {
      const from = current.current;
      const conversation = from ?? (await createConversation()).id;
      // The reader may have gone elsewhere in the meantime; the question is asked all the same.
      const stays = (): boolean => current.current === from || current.current === conversation;
      if (stays()) current.current = conversation;
      const { user, assistant } = await ask(conversation, parent, content, options);
      if (stays()) {
        take(user, assistant);
        go(addressOf(conversation));
      }
      changed();
      return true;
    } catch (error) {
      report(error);
      return false;
    } finally {
      setSending(false);
    }
  };

  const again: ThreadView["again"] = async (userTurn, options) => {
    const conversation = current.current;
    if (!conversation) return null;
    setProblem(null);
    try {
      const { assistant } = await answerAgain(conversation, userTurn, options);
      take(assistant);
      changed();
      return assistant;
    } catch (error) {
      report(error, () => void again(userTurn, options));
      return null;
    }
  };

  const stop: ThreadView["stop"] = async (turn) => {
    if (!turn.run) return;
    try {
      await cancelRun(turn.run);
    } catch (error) {
      report(error, () => void stop(turn));
    }
  };

  const rate: ThreadView["rate"] = async (turn, rating, reason) => {
    if (!turn.run) return;
    try {
      await rateRun(turn.run, rating, reason);
      const feedback = rating === 0 ? null : { rating, reason: reason ?? null };
      setTurns((before) => before.map((other) => (other.id === turn.id ? { ...other, feedback } : other)));
    } catch (error) {
      report(error, () => void rate(turn, rating, reason));
    }
  };

  const settle: ThreadView["settle"] = useCallback(
    (turn, outcome) => {
      setTurns((before) =>
        before.map((other) =>
          other.id === turn && other.status === "running"
            ? {
                ...other,
                status: outcome.status,
                content: outcome.text || other.content,
                route: outcome.route,
                error: outcome.error,
              }
            : other,
        ),
      );
      listChanged();
    },
    [listChanged],
  );

  return {
    id,
    title,
    turns,
    choices,
    loading,
    sending,
    problem,
    dismiss: () => setProblem(null),
    send,
    again,
    stop,
    rate,
    show: (turn) => setChoices((before) => choose(before, turn)),
    settle,
    refresh,
  };
}
