import { type FormEvent, useState } from "react";
import { logIn } from "../api/client";
import { messageOf } from "../api/http";
import type { Me } from "../api/types";
import { Notice } from "../shell/notice";

/** Shown where keys are configured and nobody is logged in. The key is sent once and never kept by the page. */
export function Login({ loggedIn }: { loggedIn: (me: Me) => void }) {
  const [key, setKey] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      loggedIn(await logIn(key.trim()));
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="login">
      <form onSubmit={(event) => void submit(event)}>
        <img src="/icon.svg" alt="" width="48" height="48" />
        <h1>Tandem</h1>
        <p>This server knows its users by their keys. Paste yours to go on.</p>
        <label>
          API key
          <input
            type="password"
            autoComplete="current-password"
            required
            placeholder="tandem-…"
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
        </label>
        {problem && <Notice>{problem}</Notice>}
        <button type="submit" className="button primary" disabled={busy || !key.trim()}>
          {busy ? "Checking…" : "Log in"}
        </button>
        <small>
          No key? Whoever runs this server makes one with <code>tandem keys create NAME</code>.
        </small>
      </form>
    </main>
  );
}
