import { DIMENSIONS, type Dimension, NO_RESOURCES, plusResources, type Resources } from '@usher/domain';

/** One change of a pool's reservations, as a gateway told it. */
export interface Change {
  readonly kind: 'held' | 'ended';
  readonly step: number;
  readonly backend: string;
  readonly allocation: string;
  /** What it takes, when it is held. */
  readonly resources: Resources;
  /** What reservations were allowed to fill of the backend; undefined = that was not told. */
  readonly capacity: Resources | undefined;
  readonly restored: boolean;
  /** Of the record that told it. */
  readonly position: number;
}

/**
 * `exceeded`: more was reserved of a dimension than there was. `overstated`: a gateway took a backend for larger than it was
 * ever declared. `twice`: an allocation was given back that was not there, or reserved where it was not before.
 * `contradicted`: one step of the store was told of two changes.
 */
export type ViolationKind = 'exceeded' | 'overstated' | 'twice' | 'contradicted';

export interface Violation {
  readonly kind: ViolationKind;
  /** When the run began. */
  readonly run: number;
  readonly step: number;
  readonly position: number;
  readonly backend: string;
  readonly allocation: string;
  /** A gateway told a store what it held already. */
  readonly restored: boolean;
  readonly dimension?: Dimension;
  readonly reserved?: number;
  readonly capacity?: number;
}

/** Steps that came before one that is still missing are kept up to this many; then the missing one is given up. */
const WAITING_MAX = 100_000;

interface Live {
  readonly change: Change;
  /** How many gaps there were before. */
  readonly gaps: number;
}

/**
 * The changes of one run of a pool in the store, put in the order of the store's steps. A step that nobody told, because
 * the gateway died before it could, is a gap: whatever was held before may have ended in it, and is then not counted any
 * more. So what is found is certain, and nothing is certain that is not in the log.
 */
export class RunAudit {
  readonly #run: number;
  readonly #found: (violation: Violation) => void;
  #next = 1;
  readonly #waiting = new Map<number, Change>();
  #gaps = 0;
  #missing = 0;
  readonly #live = new Map<string, Live>();
  /** Sums of what is certainly held, by backend. */
  readonly #held = new Map<string, Resources>();

  constructor(run: number, found: (violation: Violation) => void) {
    this.#run = run;
    this.#found = found;
  }

  /** Steps so far that were told. */
  get told(): number {
    return this.#next - 1 - this.#missing;
  }

  get missing(): number {
    return this.#missing;
  }

  take(change: Change): void {
    // Told before, or given up.
    if (change.step < this.#next) return;
    const other = this.#waiting.get(change.step);
    if (other === undefined) this.#waiting.set(change.step, change);
    else if (other.allocation !== change.allocation || other.kind !== change.kind)
      this.report('contradicted', change);
    for (let next = this.#waiting.get(this.#next); next !== undefined; next = this.#waiting.get(this.#next))
      this.#apply(next);
    if (this.#waiting.size > WAITING_MAX) this.#giveUp(WAITING_MAX / 2);
  }

  /** Nothing more comes: what is missing stays so. */
  finish(): void {
    this.#giveUp(this.#waiting.size);
  }

  report(kind: ViolationKind, change: Change, amounts: Partial<Violation> = {}): void {
    const { step, position, backend, allocation, restored } = change;
    this.#found({ kind, run: this.#run, step, position, backend, allocation, restored, ...amounts });
  }

  /** Goes on with the first `count` of those that wait, whatever is missing between them. */
  #giveUp(count: number): void {
    const steps = [...this.#waiting.keys()].toSorted((a, b) => a - b).slice(0, count);
    for (const step of steps) {
      if (step > this.#next) {
        this.#missing += step - this.#next;
        this.#gaps += 1;
        this.#held.clear();
      }
      this.#apply(this.#waiting.get(step)!);
    }
  }

  #apply(change: Change): void {
    this.#waiting.delete(change.step);
    this.#next = change.step + 1;
    const before = this.#live.get(change.allocation);
    if (before !== undefined) {
      this.#live.delete(change.allocation);
      if (before.gaps === this.#gaps) this.#add(before.change, -1);
    }
    if (change.kind === 'ended') {
      if (before === undefined && this.#gaps === 0) this.report('twice', change);
      return;
    }
    if (before !== undefined && before.change.backend !== change.backend) this.report('twice', change);
    this.#live.set(change.allocation, { change, gaps: this.#gaps });
    this.#add(change, 1);
    this.#compare(change);
  }

  #compare(change: Change): void {
    const { backend, resources, capacity } = change;
    if (capacity === undefined) return;
    const held = this.#held.get(backend) ?? NO_RESOURCES;
    const dimension = DIMENSIONS.find((each) => resources[each] > 0 && held[each] > capacity[each]);
    if (dimension === undefined) return;
    this.report('exceeded', change, { dimension, reserved: held[dimension], capacity: capacity[dimension] });
  }

  #add({ backend, resources }: Change, sign: 1 | -1): void {
    this.#held.set(backend, plusResources(this.#held.get(backend) ?? NO_RESOURCES, resources, sign));
  }
}
