import { FleetFold } from '@usher/actors';
import { type EventLog, type Log, LogUnavailableError, type Position, type Snapshot } from '@usher/ports';

/**
 * A fold that starts from the newest snapshot which the log bears out: it must not be ahead of the log, it must be
 * readable, and the log must have the very record at its position that the snapshot was taken behind. Others are passed
 * over, and that is said. Without any, and without the log, the fold starts empty.
 */
export async function restoreFold(events: EventLog, log: Log): Promise<FleetFold> {
  try {
    let until: Position | undefined = await events.head();
    await reportAhead(events, until, log);
    while (until !== undefined) {
      const snapshot: Snapshot | undefined = await events.loadSnapshot(until);
      if (snapshot === undefined) break;
      const fold = await tryRestore(events, snapshot, log);
      if (fold !== undefined) return fold;
      until = snapshot.position > 1 ? snapshot.position - 1 : undefined;
    }
  } catch (error) {
    if (!(error instanceof LogUnavailableError)) throw error;
    log.warn('no snapshot can be read while the event log is away', { cause: error.message });
  }
  return new FleetFold();
}

async function reportAhead(events: EventLog, head: Position, log: Log): Promise<void> {
  const newest = await events.loadSnapshot();
  if (newest === undefined || newest.position <= head) return;
  log.error(
    'the event log ends before a snapshot of it: it has lost records; the snapshot is not used, and the state is what the log still holds. Put the log back from a backup to have the rest',
    { head, snapshot: newest.position },
  );
}

async function tryRestore(events: EventLog, snapshot: Snapshot, log: Log): Promise<FleetFold | undefined> {
  const { position } = snapshot;
  const fold = FleetFold.restore(snapshot);
  if (fold === undefined) {
    log.warn('a snapshot cannot be read by this version; more of the log is replayed instead', {
      position,
      format: snapshot.format,
    });
    return undefined;
  }
  let id: string | undefined;
  await events.replay(
    position - 1,
    (record) => {
      id = record.events[0]?.id;
    },
    position,
  );
  // A record without events (any more) tells nothing.
  if (id === undefined || fold.lastId === undefined || id === fold.lastId) return fold;
  log.error(
    'a snapshot was taken of another log than this one: it is not used, and the log is replayed instead',
    {
      position,
    },
  );
  return undefined;
}
