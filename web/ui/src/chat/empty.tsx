import type { Me } from "../api/types";

const EXAMPLES = [
  "A train covers 150 km in 2.5 hours. How many km does it cover in 7 hours?",
  "How many of the numbers from 1 to 1000 are divisible by 3 or 7?",
  "Write a Python function that merges two sorted lists, and explain its running time.",
];

/** Before the first question. */
export function EmptyThread({ me, choose }: { me: Me; choose: (question: string) => void }) {
  return (
    <div className="empty-thread">
      <img src="/icon.svg" alt="" width="56" height="56" />
      <h1>What would you like to know?</h1>
      <p>
        Tandem answers with the least compute that gives a checked answer, and shows how it got there.
        {me.single_user && " Everything runs on this machine."}
      </p>
      <ul>
        {EXAMPLES.map((example) => (
          <li key={example}>
            <button type="button" className="example" onClick={() => choose(example)}>
              {example}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
