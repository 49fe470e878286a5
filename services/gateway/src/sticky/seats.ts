import type { BackendSlot, PoolTable } from '../routing-table.ts';

/** A backend by its id, and the slot that it had when it was last looked for. */
export interface Seated {
  backend: string;
  slot: BackendSlot | undefined;
}

/** Gives a session another backend, or the one that it has. */
export function seat(seated: Seated, backend: string): void {
  if (seated.backend === backend) return;
  seated.backend = backend;
  seated.slot = undefined;
}

/** Why a session has to leave its backend, as far as a worker knows. */
export type MoveCause = 'ineligible' | 'full' | 'failed';

/** The slot of a session's backend; undefined when there is no such backend any more. */
export function slotOf(pool: PoolTable, seated: Seated): BackendSlot | undefined {
  // One that moved to another address has another slot.
  if (seated.slot?.open !== true) seated.slot = pool.slots.find(({ id }) => id === seated.backend);
  return seated.slot;
}

/** Whether a request may go there; `tierAt`: the place of its tier among those of the pool. */
export function isUsable(
  slot: BackendSlot | undefined,
  tried: readonly BackendSlot[],
  tierAt: number,
): slot is BackendSlot {
  return (
    slot !== undefined &&
    slot.open &&
    slot.limit?.full !== true &&
    (tried.length === 0 || !tried.includes(slot)) &&
    hasWhatItNeeds(slot, tierAt)
  );
}

/** Where something is reserved that is for the store to say, which knows what the session has reserved itself. */
function hasWhatItNeeds(slot: BackendSlot, tierAt: number): boolean {
  const { reserves, chooser } = slot.pool;
  return reserves || chooser.fits?.(slot, tierAt) !== false;
}

/** Why a request may not go there, or went elsewhere. */
export function causeOf(slot: BackendSlot | undefined, tried: readonly BackendSlot[]): MoveCause {
  if (slot?.open !== true) return 'ineligible';
  return tried.includes(slot) ? 'failed' : 'full';
}
