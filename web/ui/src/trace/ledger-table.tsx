import type { Trace } from "../run/trace";
import { seconds, whole } from "../shell/format";

/** What the run has drawn, by model. */
export function LedgerTable({ ledger }: { ledger: Trace["ledger"] }) {
  const rows = Object.entries(ledger.tokens);
  const facts = [
    `${whole(ledger.calls)} model ${ledger.calls === 1 ? "call" : "calls"}`,
    ledger.seconds !== undefined && seconds(ledger.seconds),
    ledger.money ? `$${ledger.money.toFixed(4)}` : false,
    ledger.spent ? `budget of ${ledger.spent} spent` : false,
  ].filter(Boolean);
  return (
    <>
      {rows.length > 0 && (
        <table className="ledger">
          <thead>
            <tr>
              <th scope="col">Tokens</th>
              <th scope="col">read</th>
              <th scope="col">cached</th>
              <th scope="col">written</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([model, usage]) => (
              <tr key={model}>
                <th scope="row">{model}</th>
                <td>{whole(usage.prompt)}</td>
                <td>{whole(usage.cached)}</td>
                <td>{whole(usage.completion)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p className="reason">{facts.join(" · ")}</p>
    </>
  );
}
