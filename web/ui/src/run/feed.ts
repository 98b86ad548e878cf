/** Follows one run's event stream, from its first event, through lost connections, to its last. */

import { eventsAddress } from "../api/client";
import { failure, messageOf } from "../api/http";
import type { RunEvent } from "./events";
import { type Frames, pageFrames } from "./frames";
import { MessageParser } from "./sse";
import { Trace } from "./trace";

/** `waiting`: the connection is lost and will be tried again. `gone`: the server keeps no events of this run. */
export type Connection = "idle" | "connecting" | "live" | "waiting" | "ended" | "gone" | "failed";

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8000;
/** The gateway breaks every silence of ten seconds: after three of them the network has swallowed the connection. */
const SILENCE_MS = 30_000;

/** A store for `useSyncExternalStore`; it follows as long as somebody listens, and stops by itself at the end. */
export class RunFeed {
  readonly trace = new Trace();
  connection: Connection = "idle";
  /** Set with `failed`. */
  problem: string | null = null;

  private version = 0;
  private lastId = "";
  private readonly listeners = new Set<() => void>();
  private abort: AbortController | null = null;

  constructor(
    readonly run: string,
    private readonly frames: Frames = pageFrames(),
    private readonly silence = SILENCE_MS,
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    if (this.connection === "idle") void this.follow();
    return () => {
      this.listeners.delete(listener);
      // A moment's grace: a component that is drawn again listens again at once.
      setTimeout(() => this.stopIfUnheard(), 1000);
    };
  };

  readonly snapshot = (): number => this.version;

  get heard(): boolean {
    return this.listeners.size > 0;
  }

  retry(): void {
    if (this.connection === "failed") void this.follow();
  }

  private stopIfUnheard(): void {
    if (this.heard || !this.abort) return;
    this.abort.abort();
    this.abort = null;
    if (this.connection !== "ended" && this.connection !== "gone") this.connection = "idle";
  }

  private async follow(): Promise<void> {
    const abort = new AbortController();
    this.abort = abort;
    let wait = FIRST_WAIT_MS;
    while (!abort.signal.aborted) {
      this.become("connecting");
      const before = this.lastId;
      const more = await this.connect(abort.signal);
      if (!more || abort.signal.aborted) break;
      wait = this.lastId === before ? Math.min(wait * 2, LONGEST_WAIT_MS) : FIRST_WAIT_MS;
      this.become("waiting");
      await pause(wait, abort.signal);
    }
    if (this.abort === abort) this.abort = null;
  }

  /** One connection; false when there is nothing left to connect for. */
  private async connect(signal: AbortSignal): Promise<boolean> {
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (this.lastId) headers["last-event-id"] = this.lastId;
    try {
      const response = await fetch(eventsAddress(this.run), { headers, signal, credentials: "same-origin" });
      if (response.status === 204 || response.status === 404) return this.end("gone");
      if (response.status >= 500 || response.status === 429) return true;
      if (!response.ok || !response.body) return this.fail((await failure(response)).message);
      this.become("live");
      await this.read(response.body);
    } catch (error) {
      if (error instanceof UnreadableEvent) return this.fail(messageOf(error));
      // Anything else is a connection that broke; the next one goes on after the last event that was read.
    }
    return this.trace.finished === null;
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const parser = new MessageParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    try {
      for (;;) {
        const { done, value } = await within(this.silence, reader.read());
        if (done) return;
        for (const message of parser.push(decoder.decode(value, { stream: true }))) {
          if (!message.event) continue;
          this.trace.add(parsed(message.data));
          this.lastId = message.id;
        }
        if (this.trace.finished) {
          this.end("ended");
          return;
        }
        this.frames.ask(this.changed);
      }
    } finally {
      reader.cancel().catch(() => undefined);
    }
  }

  private end(connection: "ended" | "gone"): false {
    this.become(this.trace.finished ? "ended" : connection);
    return false;
  }

  private fail(problem: string): false {
    this.problem = problem;
    this.become("failed");
    return false;
  }

  private become(connection: Connection): void {
    this.connection = connection;
    this.changed();
  }

  private readonly changed = (): void => {
    this.version += 1;
    for (const listener of this.listeners) listener();
  };
}

class UnreadableEvent extends Error {}

/** What `work` comes to, unless that takes too long, or the device loses its network: nothing comes any more then, and
 * nobody says so. */
function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const lost = (): void => settle(() => reject(new Error("the connection is silent")));
    const timer = setTimeout(lost, milliseconds);
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      window.removeEventListener("offline", lost);
      end();
    };
    window.addEventListener("offline", lost);
    work.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}

function parsed(data: string): RunEvent {
  try {
    return JSON.parse(data) as RunEvent;
  } catch {
    throw new UnreadableEvent(
      "An event of this run could not be read. Reload the page to follow it from its beginning.",
    );
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    window.addEventListener("online", done);
    signal.addEventListener("abort", done);
  });
}
