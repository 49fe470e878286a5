import { FleetFold } from '@usher/actors';
import { type EventLog, type Log, LogUnavailableError, type Position, type Snapshot } from '@usher/ports';

type Readable = Pick<EventLog, 'head' | 'loadSnapshot' | 'replay'>;

/**
 * A fold that starts from the newest snapshot which the log bears out: it must not be ahead of the log, it must be
 * readable, and the log must have the very record at its position that the snapshot was taken behind. Others are passed
 * over, and that is said. Without any, and without the log, the fold starts empty.
 */
export async function restoreFold(events: Readable, log: Log): Promise<FleetFold> {
  try {
    let snapshot = await events.loadSnapshot();
    // Asked for behind it: others write and take snapshots meanwhile.
    const head = await events.head();
    if (snapshot !== undefined && snapshot.position > head) {
      reportAhead(log, head, snapshot);
      snapshot = await events.loadSnapshot(head);
    }
    while (snapshot !== undefined) {
      const fold = await tryRestore(events, snapshot, log);
      if (fold !== undefined) return fold;
      const { position }: Snapshot = snapshot;
      snapshot = position > 1 ? await events.loadSnapshot(position - 1) : undefined;
    }
  } catch (error) {
    if (!(error instanceof LogUnavailableError)) throw error;
    log.warn('no snapshot can be read while the event log is away', { cause: error.message });
  }
  return new FleetFold();
}

function reportAhead(log: Log, head: Position, { position }: Snapshot): void {
  log.error(
    'the event log ends before a snapshot of it: it has lost records; the snapshot is not used, and the state is what the log still holds. Put the log back from a backup to have the rest',
    { head, snapshot: position },
  );
}

async function tryRestore(events: Readable, snapshot: Snapshot, log: Log): Promise<FleetFold | undefined> {
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
