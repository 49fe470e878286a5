import type { StickyAssignment, StickyAssignments } from '@usher/ports';
import type { RunScript } from './run-script.ts';
import { ASSIGN_STICKY, CLEAR_STICKY, GET_STICKY, MOVE_STICKY } from './sticky-scripts.ts';

/** Sticky assignments on Redis, a key each. How many there are is bounded by their expiry and by the server's memory policy. */
export class RedisSticky implements StickyAssignments {
  readonly #run: RunScript;

  constructor(run: RunScript) {
    this.#run = run;
  }

  async get(pool: string, id: string): Promise<string | undefined> {
    return found(await this.#run(GET_STICKY, [keyOf(pool, id)], []));
  }

  async assign({ pool, id, backend, ttlMs, idleMs }: StickyAssignment): Promise<string> {
    return String(await this.#run(ASSIGN_STICKY, [keyOf(pool, id)], [backend, ttlMs, idleMs]));
  }

  async move(
    { pool, id, backend, ttlMs, idleMs }: StickyAssignment,
    from: string,
  ): Promise<string | undefined> {
    return found(await this.#run(MOVE_STICKY, [keyOf(pool, id)], [from, backend, ttlMs, idleMs]));
  }

  async clear(pool: string, id: string, backend: string): Promise<boolean> {
    return (await this.#run(CLEAR_STICKY, [keyOf(pool, id)], [backend])) === 1;
  }
}

/** Ids are spread over a cluster's nodes: no hash tag. Pools' names have no colon. */
function keyOf(pool: string, id: string): string {
  return `usher:sticky:${pool}:${id}`;
}

function found(answer: unknown): string | undefined {
  return typeof answer === 'string' ? answer : undefined;
}
