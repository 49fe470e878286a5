import { Worker } from 'node:worker_threads';

/** As long as a gateway gives a plugin. */
const TRY_MAX_MS = 10_000;
const ENTRY = new URL('./try-modules.ts', import.meta.url);

export interface Trying {
  readonly files: readonly string[];
  /** Also run them. Otherwise they are only read and linked. */
  readonly run: boolean;
}

export interface TriedModule {
  readonly file: string;
  readonly fault: string | undefined;
}

/** What is wrong with these modules, as far as something is. They are tried in a thread of their own. */
export async function moduleFaults(trying: Trying): Promise<ReadonlyMap<string, string>> {
  const left = new Set(trying.files);
  const faults = new Map<string, string>();
  if (left.size === 0) return faults;
  const worker = new Worker(ENTRY, { workerData: trying, execArgv: [] });
  const { promise, resolve } = Promise.withResolvers<string>();
  const late = setTimeout(() => resolve(`it is not loaded after ${TRY_MAX_MS} ms`), TRY_MAX_MS);
  worker.on('message', ({ file, fault }: TriedModule) => {
    left.delete(file);
    if (fault !== undefined) faults.set(file, fault);
    if (left.size === 0) resolve('');
  });
  worker.on('error', (error) => resolve(`it fails while it is loaded: ${String(error)}`));
  worker.on('exit', () => resolve('it ends the thread that loads it'));
  const outcome = await promise;
  clearTimeout(late);
  // They are tried one after the other, so the first that is left is the one.
  const culprit = trying.files.find((file) => left.has(file));
  if (culprit !== undefined) faults.set(culprit, outcome);
  await worker.terminate();
  return faults;
}
