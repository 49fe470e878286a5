import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Log } from '@usher/ports';
import type { OpenLog } from '../open-log.ts';
import { EmbeddedBus } from './bus.ts';
import { EmbeddedEventLog } from './embedded-log.ts';
import { SEGMENTS_DIR, SNAPSHOTS_DIR, syncDirectory } from './files.ts';
import { lockDirectory } from './lock.ts';
import { recover } from './recover.ts';
import { Writer } from './writer.ts';

export interface EmbeddedOptions {
  /** Made when it is missing. */
  readonly dir: string;
  readonly log: Log;
  readonly clock: Clock;
}

/** Opens the log in a directory for this process alone. Throws when another process has it, or when it cannot be read. */
export async function openEmbedded({ dir, log, clock }: EmbeddedOptions): Promise<OpenLog> {
  await mkdir(join(dir, SEGMENTS_DIR), { recursive: true });
  await mkdir(join(dir, SNAPSHOTS_DIR), { recursive: true });
  await syncDirectory(dir);
  const lock = await lockDirectory(dir);
  try {
    const writer = new Writer(dir, await recover(dir, log), { clock, log, lock });
    const events = new EmbeddedEventLog(dir, writer, log, lock);
    return { events, bus: new EmbeddedBus(clock, log), close: () => events.close() };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
