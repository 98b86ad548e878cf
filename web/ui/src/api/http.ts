/** JSON over fetch; every failure is an `ApiError` whose message can be shown as it stands. */

export class ApiError extends Error {
  /** `status` 0 means that no answer came at all. */
  constructor(
    readonly status: number,
    message: string,
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }

  get unreachable(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 504;
  }
}

const UNREACHABLE = "The gateway does not answer. Check that it is running (tandem serve), then try again.";
const OFFLINE = "This device is offline. Check its network, then try again; what you wrote is still here.";
const UNREADABLE = "The gateway's answer could not be read. A proxy in between may be at fault; reload the page.";

/** The window hears this when the server no longer knows who this is. */
export const LOGGED_OUT = "tandem-logged-out";

type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** Returns the parsed body; throws `ApiError`. An aborted request throws the abort itself. */
export async function call<T>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await send(method, path, body, signal);
  if (response.status === 401 && path !== "/v1/session") window.dispatchEvent(new Event(LOGGED_OUT));
  if (!response.ok) throw await failure(response);
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(response.status, UNREADABLE);
  }
}

async function send(method: Method, path: string, body: unknown, signal: AbortSignal | undefined): Promise<Response> {
  const init: RequestInit = { method, credentials: "same-origin", headers: { accept: "application/json" } };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { accept: "application/json", "content-type": "application/json" };
  }
  try {
    return await fetch(path, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, navigator.onLine ? UNREACHABLE : OFFLINE);
  }
}

/** Reads the OpenAI error shape. */
export async function failure(response: Response): Promise<ApiError> {
  const wait = Number(response.headers.get("retry-after"));
  const retryAfter = Number.isFinite(wait) && wait > 0 ? wait : null;
  const text = await response.text().catch(() => "");
  return new ApiError(response.status, messageIn(text) ?? fallback(response.status), retryAfter);
}

function messageIn(text: string): string | null {
  try {
    const message: unknown = (JSON.parse(text) as { error?: { message?: unknown } }).error?.message;
    return typeof message === "string" && message ? message : null;
  } catch {
    return null;
  }
}

function fallback(status: number): string {
  if (status === 502 || status === 504) return UNREACHABLE;
  return `The gateway answered with status ${status} and no explanation. Its log names the request.`;
}

/** The message to show for anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `{a: 1, b: undefined}` becomes `?a=1`; nothing becomes the empty string. */
export function query(values: Record<string, string | number | null | undefined>): string {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return pairs.length ? `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}` : "";
}
