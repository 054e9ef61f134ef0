import { Store } from './store';

/** Whether the server answers. */
export const online = new Store(true);

/** Number of times that everything must be read again: the server came back, or the tab was hidden. */
export const epoch = new Store(0);

/** Whether the tab is in front. A hidden tab holds no stream: browsers allow six connections to a server. */
export const visible = new Store(!document.hidden);

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 8_000;
const HIDDEN_FOR = 20_000;
let asking = false;

/** Note that a request got no answer; ask until the server answers again. */
export function lost(): void {
  online.set(false);
  if (!asking) void ask(FIRST_WAIT);
}

/** Note an answer. */
export function reached(): void {
  if (!online.value && !asking) online.set(true);
}

async function ask(wait: number): Promise<void> {
  asking = true;
  await new Promise(resolve => setTimeout(resolve, wait * (0.75 + Math.random() / 2)));
  const answers = await fetch('livez', { cache: 'no-store' }).then(({ status }) => status < 500, () => false);
  if (!answers) return ask(Math.min(wait * 1.5, LONGEST_WAIT));
  asking = false;
  online.set(true);
  epoch.set(epoch.value + 1);
}

let hiding: ReturnType<typeof setTimeout> | undefined;
document.addEventListener('visibilitychange', () => {
  clearTimeout(hiding);
  if (document.hidden) {
    hiding = setTimeout(() => visible.set(false), HIDDEN_FOR);
  } else if (!visible.value) {
    visible.set(true);
    epoch.set(epoch.value + 1);
  }
});
