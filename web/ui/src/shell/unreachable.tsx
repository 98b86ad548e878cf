/** The whole page when nothing can be said without the gateway. */
export function Unreachable({ message, again }: { message: string; again: () => void }) {
  return (
    <main className="login">
      <div className="login-box">
        <img src="/icon.svg" alt="" width="48" height="48" />
        <h1>No answer from Tandem</h1>
        <p role="alert">{message}</p>
        <p>
          Start it with <code>make run</code> or <code>tandem serve</code>; this page goes on by itself when it is
          there.
        </p>
        <button type="button" className="button primary" onClick={again}>
          Try now
        </button>
      </div>
    </main>
  );
}
