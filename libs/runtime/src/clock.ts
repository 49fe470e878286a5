import type { Clock, Timer } from '@usher/ports';

/** The longest delay a Node timer takes; a longer one would fire at once. */
const DELAY_MAX_MS = 2 ** 31 - 1;

/** The machine's own time. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    steady: () => performance.now(),
    after: (ms, callback) => {
      let rest = ms;
      let timer: NodeJS.Timeout;
      const step = () => {
        const delay = Math.min(rest, DELAY_MAX_MS);
        rest -= delay;
        timer = setTimeout(rest > 0 ? step : callback, delay);
      };
      step();
      return { cancel: () => clearTimeout(timer) };
    },
    every: (ms, callback) => {
      const timer = setInterval(callback, Math.min(ms, DELAY_MAX_MS));
      return { cancel: () => clearInterval(timer) } satisfies Timer;
    },
  };
}
