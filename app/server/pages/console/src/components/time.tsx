import { useEffect, useState } from 'preact/hooks';

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** An instant in local time; the pointer over it shows UTC. */
export function Time({ at }: { at: string | null | undefined }) {
  if (!at) return <>–</>;
  const then = new Date(at);
  const now = new Date();
  const isThisYear = then.getFullYear() === now.getFullYear();
  const format = then.toDateString() === now.toDateString() ? CLOCK : isThisYear ? DAY : FULL;
  return (
    <time dateTime={at} title={`${then.toISOString().replace('T', ' ').replace('Z', '')} UTC`}>
      {format.format(then)}
    </time>
  );
}

/** The time, anew each `interval` ms while `isRunning`. */
export function useNow(isRunning: boolean, interval = 1_000): number {
  const [now, set] = useState(Date.now);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => set(Date.now()), interval);
    return () => clearInterval(timer);
  }, [isRunning, interval]);
  return now;
}

/** The time from a start to an end, or until now. */
export function Duration({ from, to }: { from: string | null | undefined; to: string | null | undefined }) {
  const now = useNow(!!from && !to);
  if (!from) return <>–</>;
  return <>{lasted(((to ? Date.parse(to) : now) - Date.parse(from)) / 1000, !to)}</>;
}

/** Seconds for people: `5.4 s`, `1:23`, `2:03:04`. Those still counted have no tenths. */
export function lasted(seconds: number, isCounted = false): string {
  const least = Math.max(seconds, 0);
  if (least < 60) return isCounted ? `${Math.floor(least)} s` : `${least < 9.95 ? least.toFixed(1) : Math.round(least)} s`;
  const whole = Math.floor(least);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(rest).padStart(2, '0');
  return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}
