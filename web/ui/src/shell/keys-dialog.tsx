import { Dialog } from "./dialog";
import { SHORTCUTS, useShortcutsOn } from "./shortcuts";

export function KeysDialog({ close }: { close: () => void }) {
  const [on, setOn] = useShortcutsOn();
  return (
    <Dialog title="Keyboard" onClose={close}>
      <dl className="keys">
        {SHORTCUTS.map(({ keys, does }) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label className="check">
        <input type="checkbox" checked={on} onChange={(event) => setOn(event.target.checked)} />
        Single keys work outside of text fields
      </label>
    </Dialog>
  );
}
