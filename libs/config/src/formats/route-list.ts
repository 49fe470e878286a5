import type { Place } from '../fault.ts';
import type { Input } from '../input/input.ts';
import { map, series, value } from './draft.ts';
import type { Remarks } from './remarks.ts';

/** Routes from servers that other systems keep apart by their addresses; the first one for a host and path counts. */
export class RouteList {
  readonly #remarks: Remarks;
  readonly #routes: Input[] = [];
  /** The pool of each host and path. */
  readonly #pools = new Map<string, string>();

  constructor(remarks: Remarks) {
    this.#remarks = remarks;
  }

  /** Without a host it is for all. */
  add(
    host: string | undefined,
    path: string,
    pool: string,
    at: Place,
    more: Readonly<Record<string, Input | undefined>> = {},
  ): void {
    const key = `${host ?? ''} ${path}`;
    const before = this.#pools.get(key);
    if (before === undefined) {
      this.#pools.set(key, pool);
      const parts = { host: host === undefined ? undefined : value(host, at), path: value(path, at) };
      this.#routes.push(map({ ...parts, pool: value(pool, at), ...more }, at));
    } else if (before !== pool) {
      const what = `${host ?? 'every host'} ${path}`;
      this.#remarks.lost('route', at, `${what} goes to ${before} already: every listener serves every route`);
    }
  }

  list(): Input | undefined {
    return this.#routes.length === 0 ? undefined : series(this.#routes);
  }
}
