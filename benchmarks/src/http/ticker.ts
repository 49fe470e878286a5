import { parentPort, workerData } from 'node:worker_threads';

/**
 * A thread that tells its parent about every tick. Timers of Node's event loop are no finer than a millisecond; waiting
 * for a number that nobody changes is.
 */
const tickMs = Number(workerData) / 1000;
const never = new Int32Array(new SharedArrayBuffer(4));
const startMs = performance.now();
for (let tick = 1; ; tick++) {
  const leftMs = startMs + tick * tickMs - performance.now();
  // Ticks that are late already are one.
  if (leftMs <= 0) continue;
  Atomics.wait(never, 0, 0, leftMs);
  parentPort?.postMessage(tick, []);
}
