import { Dialog } from "./dialog";
import { SHORTCUTS } from "./shortcuts";

export function KeysDialog({ close }: { close: () => void }) {
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
    </Dialog>
  );
}
