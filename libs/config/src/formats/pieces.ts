import { DEFAULT_PLACE, type Place } from '../fault.ts';
import type { Input } from '../input/input.ts';
import { parsePrefix } from '../keys/traffic/paths.ts';
import { fitForId } from '../types/names.ts';
import { Refusal } from '../types/type.ts';
import { map, series, value } from './draft.ts';
import type { Given } from './foreign-file.ts';
import { METRICS_POOL, ownPool } from './own-pools.ts';
import type { Remarks } from './remarks.ts';

/** The pool that the backends of a system with only one group of them get into. */
export const POOL = 'web';

/** A backend's URL without what Usher has no equal for. Undefined, with a fault, when it is none. */
export function backendUrl(given: Given<string | undefined>, remarks: Remarks): Input | undefined {
  const { value: written, at, path } = given;
  if (written === undefined || written === '') return undefined;
  // Without a scheme HTTP is meant, although Go's parser takes the host for one.
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(written) ? written : `http://${written}`);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    remarks.fault(path, at, 'this is not a URL such as http://10.0.0.1:3000');
    return undefined;
  }
  if (url.username !== '' || url.password !== '') {
    remarks.fault(path, at, 'the URL of a backend takes no user and no password');
    return undefined;
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    const message =
      'requests would need this path before their own, and Usher forwards paths as they are; have the backend serve them';
    remarks.fault(path, at, message, url.origin);
    return undefined;
  }
  return value(url.origin, at);
}

/** Gives out ids: the nearest one to a name, and another when that is taken. */
export class Ids {
  readonly #taken = new Set<string>();

  /** An id for something that has no name, such as a URL. */
  derive(from: string): string {
    const base = fitForId(from.replace(/^[a-z]+:\/\//i, '')) || 'backend';
    let id = base;
    for (let count = 2; this.#taken.has(id); count++) id = `${base.slice(0, 58)}-${count}`;
    this.#taken.add(id);
    return id;
  }

  /** An id for a name. A name that two have stays as it is: Usher's own check tells both places. */
  name({ value: name, at, path }: Given<string>, remarks: Remarks): Input {
    const id = fitForId(name);
    if (id === '') {
      remarks.fault(path, at, 'a name needs a letter or a digit');
      return value('unnamed', at);
    }
    if (id !== name) remarks.changed(path, at, `ids have letters, digits, - and _ only: ${id}`);
    this.#taken.add(id);
    return value(id, at);
  }
}

/** `{ cert, key }`, with a fault for what is missing. */
export function certificate(
  cert: Given<string | undefined>,
  key: Given<string | undefined>,
  around: Place,
  remarks: Remarks,
): Input {
  for (const { value: file, path } of [cert, key])
    if (file === undefined || file === '') remarks.fault(path, around, `TLS needs ${path}`);
  return map({ cert: value(cert.value || '.', cert.at), key: value(key.value || '.', key.at) }, around);
}

/** A route for everything to the one pool. */
export function routeForAll(more: Readonly<Record<string, Input | undefined>> = {}): Input {
  return series([map({ path: value('/*'), pool: value(POOL), ...more })], DEFAULT_PLACE);
}

/**
 * For systems that answer with 503 when nobody is healthy or all breakers are open, whatever share of their backends that is, and
 * that know of no ejections, but for those that a file asks for.
 */
export const FAILING_CLOSED = { fail_open: value(false), passive: map({ enabled: value(false) }) };

const METRICS = '127.0.0.1:9090';
const METRICS_PATH = '/metrics';

interface MetricsOfOthers {
  readonly enabled: Given<boolean>;
  /** Where they are; left out for a system that has them at `/metrics` alone. */
  readonly path?: Given<string> | undefined;
  /** Whose form they have; Usher's own when it is left out. */
  readonly format?: string | undefined;
}

/** The parts of a configuration of a system that answers metrics among the traffic; without metrics just the pool. */
export function withMetrics(
  pool: Input,
  { enabled, path, format }: MetricsOfOthers,
  remarks: Remarks,
): Record<string, Input> {
  if (!enabled.value)
    return { pools: map({ [POOL]: pool }), routes: routeForAll(), metrics: value('none', enabled.at) };
  const routes = [metricsRoute(path, remarks), map({ path: value('/*'), pool: value(POOL) })];
  return {
    pools: map({ [POOL]: pool, [METRICS_POOL]: ownPool(METRICS_POOL, METRICS) }),
    routes: series(routes, DEFAULT_PLACE),
    metrics: map({ address: value(METRICS), format: format === undefined ? undefined : value(format) }),
  };
}

/** Metrics stay where they are: what is asked for among the traffic changes with the file, and what listens does not. */
function metricsRoute(written: Given<string> | undefined, remarks: Remarks): Input {
  const { value: path = METRICS_PATH, at } = written ?? {};
  const fault = parsePrefix(path);
  if (fault instanceof Refusal && written !== undefined)
    remarks.fault(written.path, written.at, fault.message, fault.suggestion);
  const where = fault instanceof Refusal ? METRICS_PATH : path;
  const rewrite =
    where === METRICS_PATH ? undefined : map({ strip: value(where, at), add: value(METRICS_PATH) }, at);
  return map({ path: value(where, at), pool: value(METRICS_POOL), rewrite });
}
