import { constants } from 'node:os';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
export type StopSignal = (typeof SIGNALS)[number];

/**
 * Calls `handler` on the first SIGTERM or SIGINT. A second one means that whoever sent it will not wait: the process
 * exits at once with the status a shell gives for that signal (143, 130). Answers with a function that stops listening.
 */
export function onStopSignals(handler: (signal: StopSignal) => void): () => void {
  let stopping = false;
  const receive = (signal: StopSignal) => {
    if (stopping) process.exit(128 + constants.signals[signal]);
    stopping = true;
    handler(signal);
  };
  for (const signal of SIGNALS) process.on(signal, receive);
  return () => {
    for (const signal of SIGNALS) process.off(signal, receive);
  };
}
