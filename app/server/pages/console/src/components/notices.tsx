import { Store, useStore } from '../api/store';

const DURATION = 6_000;

/** Short messages about what happened. */
const notices = new Store<ReadonlyArray<{ id: number; text: string }>>([]);
let last = 0;

/** Say what happened, for some seconds. */
export function notify(text: string): void {
  const id = ++last;
  notices.set([...notices.value.slice(-2), { id, text }]);
  setTimeout(() => notices.set(notices.value.filter(each => each.id !== id)), DURATION);
}

/** The messages, which a screen reader says. */
export function Notices() {
  const shown = useStore(notices);
  return (
    <div class="notices" role="status">
      {shown.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  );
}
