/** Calls `handler` on every SIGUSR2, which would end the process otherwise. Answers with a function that stops listening. */
export function onRestartSignal(handler: () => void): () => void {
  process.on('SIGUSR2', handler);
  return () => process.off('SIGUSR2', handler);
}
