import type { Place } from '../fault.ts';
import { type Input, plainOf } from '../input/input.ts';
import { map, series, value } from './draft.ts';
import type { Remarks } from './remarks.ts';

/** Routes from servers that other systems keep apart by their addresses; the first one for a host and path counts. */
export class RouteList {
  readonly #remarks: Remarks;
  readonly #routes: Input[] = [];
  /** The pool of each host and path, and what else is said about it. */
  readonly #known = new Map<string, { readonly pool: string | undefined; readonly policy: string }>();

  constructor(remarks: Remarks) {
    this.#remarks = remarks;
  }

  /** Without a host it is for all; without a pool its clients are sent elsewhere. */
  add(
    host: string | undefined,
    path: string,
    pool: string | undefined,
    at: Place,
    more: Readonly<Record<string, Input | undefined>> = {},
  ): void {
    const key = `${host ?? ''} ${path}`;
    const before = this.#known.get(key);
    const what = `${host ?? 'every host'} ${path}`;
    const policy = JSON.stringify(plainOf(map(more)));
    if (before === undefined) {
      this.#known.set(key, { pool, policy });
      const parts = { host: host === undefined ? undefined : value(host, at), path: value(path, at) };
      this.#routes.push(
        map({ ...parts, pool: pool === undefined ? undefined : value(pool, at), ...more }, at),
      );
    } else if (before.pool !== pool) {
      const where = before.pool ?? 'somewhere else';
      this.#remarks.lost('route', at, `${what} goes to ${where} already: every listener serves every route`);
    } else if (before.policy !== policy)
      this.#remarks.lost(
        'route',
        at,
        `${what} has another policy already: every listener serves every route`,
      );
  }

  list(): Input | undefined {
    return this.#routes.length === 0 ? undefined : series(this.#routes);
  }
}
