/** Calls `handler` on every SIGHUP, which would end the process otherwise. Answers with a function that stops listening. */
export function onReloadSignal(handler: () => void): () => void {
  process.on('SIGHUP', handler);
  return () => process.off('SIGHUP', handler);
}
