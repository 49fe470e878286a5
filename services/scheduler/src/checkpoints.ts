import { CHECKPOINT_SUBJECT, envelop } from '@usher/events';
import type { ServiceContext, Snapshot } from '@usher/ports';

/** A snapshot is due after this many records that a restart would otherwise replay. */
const RECORDS_PER_SNAPSHOT = 5_000;

/** Saves the state now and then, and writes into the log what its digest was, for replays to compare with. */
export class Checkpoints {
  readonly #context: ServiceContext;
  readonly #snapshot: () => Snapshot;
  #records = 0;
  #saving = false;

  constructor(context: ServiceContext, snapshot: () => Snapshot) {
    this.#context = context;
    this.#snapshot = snapshot;
  }

  /** Counts one more record; saves when enough have come together. */
  async onRecord(): Promise<void> {
    this.#records += 1;
    if (this.#records >= RECORDS_PER_SNAPSHOT) await this.save();
  }

  async save(): Promise<void> {
    if (this.#saving || this.#records === 0) return;
    this.#saving = true;
    this.#records = 0;
    const { fleet, events, outbox, clock, random, instance, log } = this.#context;
    const { position } = fleet;
    const digest = fleet.digest();
    try {
      await events.saveSnapshot(this.#snapshot());
      const draft = { type: 'checkpoint.written', subject: 'fleet', data: { position, digest } } as const;
      const context = { source: `usher/scheduler/${instance}`, timeMs: clock.now(), actor: instance };
      outbox.offer(
        CHECKPOINT_SUBJECT,
        envelop([draft], context, () => random.uuid()),
      );
    } catch (error) {
      log.warn('the snapshot could not be saved; the next one will be tried', {
        cause: (error as Error).message,
      });
    } finally {
      this.#saving = false;
    }
  }
}
