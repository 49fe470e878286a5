import type { PoolSettings } from '@usher/domain';
import type { Log } from '@usher/ports';
import { readBackendTls } from '@usher/runtime';
import type { TableDelta } from '../routing-table.ts';
import type { TlsRow } from '../table/tls-client.ts';

/**
 * The files that pools name for TLS to their backends. What cannot be used leaves in force what was read before; where
 * nothing was, connections to the pool's backends fail with that reason.
 */
export class TlsFiles {
  readonly #log: Log;
  readonly #rows = new Map<string, TlsRow>();
  /** What was wrong at the last look. */
  readonly #faults = new Map<string, string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Everything, for a worker that knows nothing. */
  snapshot(): TableDelta[] {
    return Array.from(this.#rows, ([pool, tls]) => ({ kind: 'tls', pool, tls }) as const);
  }

  /** Reads the files of these pools, which are all there are; answers with what is new. */
  read(pools: readonly PoolSettings[]): TableDelta[] {
    const ids = new Set(pools.map(({ id }) => id));
    for (const id of this.#rows.keys()) if (!ids.has(id)) this.#forget(id);
    const deltas: TableDelta[] = [];
    for (const pool of pools) {
      const before = this.#rows.get(pool.id);
      const row = this.#rowOf(pool, before);
      if (row === undefined || JSON.stringify(row) === JSON.stringify(before)) continue;
      this.#rows.set(pool.id, row);
      deltas.push({ kind: 'tls', pool: pool.id, tls: row });
    }
    return deltas;
  }

  #forget(pool: string): void {
    this.#rows.delete(pool);
    this.#faults.delete(pool);
  }

  #rowOf({ id, tls }: PoolSettings, before: TlsRow | undefined): TlsRow | undefined {
    if (tls === undefined) return undefined;
    const { serverName, verify } = tls;
    try {
      const row = { serverName, verify, ...readBackendTls(tls) };
      if (this.#faults.delete(id)) this.#log.info('the TLS files of a pool can be used again', { pool: id });
      return row;
    } catch (error) {
      const fault = (error as Error).message;
      if (this.#faults.get(id) !== fault) {
        this.#faults.set(id, fault);
        this.#log.error('the TLS files of a pool cannot be used', { pool: id, cause: fault });
      }
      return { ...(before ?? { fault }), serverName, verify };
    }
  }
}
