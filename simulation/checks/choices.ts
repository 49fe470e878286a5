import type { PoolSettings } from '@usher/domain';
import type { UsherEvent } from '@usher/events';
import type { BackendSlot, PoolTable } from '../../services/gateway/src/routing-table.ts';
import type { LogDisk } from '../parts/log-disk.ts';
import type { Findings } from './findings.ts';

/** As the page about health says. */
const PANIC_BACKENDS_MIN = 3;
const EJECTED_SHARE_MAX = 0.5;

/** What the log says of a backend. */
interface Known {
  readonly pool: string;
  readonly weight: number;
  readonly wanted: boolean;
  readonly health: 'healthy' | 'unhealthy' | 'unknown';
  readonly open: boolean;
}

type View = ReadonlyMap<string, Known>;
const NOTHING: View = new Map();

/**
 * Judges where workers send requests and whom they leave out: who is wanted and well it knows from the log, at the position
 * that the worker had heard of, and only what nobody but the worker can know it takes from there. Before the
 * first word of backends a gateway goes by its file.
 */
export class Choices {
  readonly #disk: LogDisk;
  readonly #findings: Findings;
  /** As the file has them, whatever a worker makes of it. */
  readonly #pools: ReadonlyMap<string, PoolSettings>;
  /** By position. */
  #views: View[] = [NOTHING];

  constructor(disk: LogDisk, findings: Findings, pools: readonly PoolSettings[]) {
    this.#disk = disk;
    this.#findings = findings;
    this.#pools = new Map(pools.map((pool) => [pool.id, pool]));
  }

  /** An attempt goes to a backend of a pool. */
  checkChoice(life: string, position: number, pool: PoolTable, { id }: BackendSlot): void {
    const view = this.#at(position);
    if (view.size === 0) return;
    const known = view.get(id);
    const why = known === undefined ? 'is not there' : this.#objection(view, known, pool);
    if (why === undefined) return;
    const detail = `${life} at position ${position} sends to ${id}, which ${why}`;
    this.#findings.report('requests go only where they may', detail);
  }

  /** Whom a worker leaves out now. */
  checkPool(life: string, position: number, pool: PoolTable): void {
    // Most of the time there is nothing to object to.
    if (pool.eligible.length > 0 && !pool.slots.some(isEjected)) return;
    const view = this.#at(position);
    const members = [...view].filter(([, known]) => known.pool === pool.id && isInService(known));
    if (members.length === 0) return;
    const invariant = 'never too much of a pool is ejected';
    const share = Math.min(this.#pools.get(pool.id)?.passive?.maxEjected ?? 0, EJECTED_SHARE_MAX);
    const one = share > 0 && members.length >= PANIC_BACKENDS_MIN ? 1 : 0;
    const allowed = Math.max(one, Math.floor(members.length * share));
    const ejected = pool.slots.filter((slot) => slot.ejected && members.some(([id]) => id === slot.id));
    if (ejected.length > allowed) {
      const names = ejected.map(({ id }) => id).join();
      this.#findings.report(invariant, `${life} leaves out ${names} of ${members.length} in ${pool.id}`);
    }
    const [well] = members.find(([, { health, open }]) => health === 'healthy' && !open) ?? [];
    // Its own breakers may bar a worker from all of a pool that fails closed.
    if (well !== undefined && pool.eligible.length === 0 && !this.#failsClosed(pool))
      this.#findings.report(invariant, `${life} sends nobody to ${pool.id}, though ${well} is well`);
  }

  #objection(view: View, known: Known, pool: PoolTable): string | undefined {
    if (!known.wanted) return 'nobody wants to have requests';
    const barred = known.open && this.#failsClosed(pool);
    if ((known.health !== 'unhealthy' && !barred) || this.#mayPanic(view, pool)) return undefined;
    return barred ? 'has an open breaker, in a pool that fails closed' : 'is unhealthy';
  }

  #failsClosed({ id }: PoolTable): boolean {
    return this.#pools.get(id)?.failOpen === false;
  }

  #mayPanic(view: View, { id, slots }: PoolTable): boolean {
    const judged = [...view].filter(
      ([, known]) => known.pool === id && isInService(known) && known.health !== 'unknown',
    );
    const shunned = (backend: string): boolean => {
      const slot = slots.find((each) => each.id === backend);
      return slot === undefined || slot.breaker.phase === 'open' || slot.ejected;
    };
    const eligible = judged.filter(
      ([backend, { health, open }]) => health === 'healthy' && !open && !shunned(backend),
    );
    const { panic = 0, failOpen = true } = this.#pools.get(id) ?? {};
    return failOpen && judged.length >= PANIC_BACKENDS_MIN && eligible.length < panic * judged.length;
  }

  /** Empty when the log has lost what it showed, which others find. */
  #at(position: number): View {
    if (position > this.#disk.durable) return NOTHING;
    for (let next = this.#views.length; next <= position; next++) {
      const { events } = this.#disk.read(next);
      this.#views.push(events.reduce(take, this.#views[next - 1]!));
    }
    return this.#views[position] ?? NOTHING;
  }
}

const isEjected = ({ ejected }: BackendSlot): boolean => ejected;

function isInService({ wanted, weight }: Known): boolean {
  return wanted && weight > 0;
}

function take(view: View, { type, data }: UsherEvent): View {
  if (type === 'backend.registered') {
    const { id, pool, weight } = data.settings;
    return new Map(view).set(id, { pool, weight, wanted: true, health: 'unknown', open: false });
  }
  if (type === 'backend.updated') {
    const { id, pool, weight } = data.settings;
    return changed(view, id, { pool, weight, ...(data.health === undefined ? {} : { health: 'unknown' }) });
  }
  if (type === 'backend.removed') return new Map([...view].filter(([id]) => id !== data.backend));
  if (type === 'backend.drain_started' || type === 'backend.disabled')
    return changed(view, data.backend, { wanted: false });
  if (type === 'backend.enabled') return changed(view, data.backend, { wanted: true });
  if (type === 'backend.became_healthy') return changed(view, data.backend, { health: 'healthy' });
  if (type === 'backend.became_unhealthy') return changed(view, data.backend, { health: 'unhealthy' });
  if (type === 'breaker.opened') return changed(view, data.backend, { open: true });
  if (type === 'breaker.half_opened' || type === 'breaker.closed')
    return changed(view, data.backend, { open: false });
  return view;
}

function changed(view: View, id: string, change: Partial<Known>): View {
  const known = view.get(id);
  return known === undefined ? view : new Map(view).set(id, { ...known, ...change });
}
