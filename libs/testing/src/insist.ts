import { StoreUnavailableError } from '@usher/ports';

/** Asks a store again until it answers, as whoever must have an answer does: what may be repeated safely. */
export async function insist<T>(call: () => Promise<T>, unanswered: () => void = () => {}): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      unanswered();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
