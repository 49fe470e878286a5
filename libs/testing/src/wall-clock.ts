import type { Clock } from '@usher/ports';

/** Real time, for tests that talk to real servers and disks. */
export const wallClock: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return { cancel: () => clearTimeout(timer) };
  },
  every(ms, callback) {
    const timer = setInterval(callback, ms);
    return { cancel: () => clearInterval(timer) };
  },
};
