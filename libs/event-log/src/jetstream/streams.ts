import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { type DecodedRecord, decodeRecord, EVENTS_PREFIX } from '@usher/events';
import type { Log, Position } from '@usher/ports';
import { nanos } from 'nats';

export const EVENTS_STREAM = 'USHER_EVENTS';
export const SNAPSHOTS_STREAM = 'USHER_SNAPSHOTS';
export const SNAPSHOTS_PREFIX = 'usher.snapshots';
/** How long the server recognises an unconditional append that is sent again. */
const DUPLICATE_WINDOW_MS = 120_000;

/** In a cluster: one server may be away, and the log goes on. */
const CLUSTER_COPIES = 3;

const EVENTS = {
  name: EVENTS_STREAM,
  subjects: [`${EVENTS_PREFIX}.>`],
  storage: 'file',
  retention: 'limits',
  // Should somebody set a limit: refuse the new rather than forget the old.
  discard: 'new',
  deny_delete: true,
  deny_purge: true,
  duplicate_window: nanos(DUPLICATE_WINDOW_MS),
} as const;

const SNAPSHOTS = {
  name: SNAPSHOTS_STREAM,
  subjects: [`${SNAPSHOTS_PREFIX}.>`],
  storage: 'file',
  retention: 'limits',
  discard: 'new',
} as const;

/**
 * Makes the streams that are missing, unless this process has seen them before: then the log is lost, and a new one must not
 * pass for it. In a cluster (`clustered`) three of its servers keep a copy each. Streams that exist are the operator's; what
 * is unsafe about them is said. Resolves with the stream of events.
 */
export async function ensureStreams(
  manager: JetStreamManager,
  log: Log,
  { seenBefore, clustered }: { readonly seenBefore: boolean; readonly clustered: boolean },
): Promise<StreamInfo | undefined> {
  const copies = copiesIn(clustered);
  const found = await findStream(manager, EVENTS_STREAM);
  if (found === undefined && seenBefore) return undefined;
  const events = found ?? (await addStream(manager, EVENTS, copies));
  for (const weakness of weaknessesOf(events.config, copies)) {
    log.warn('the stream of events is not kept as it should be', { stream: EVENTS_STREAM, weakness });
  }
  if ((await findStream(manager, SNAPSHOTS_STREAM)) === undefined)
    await addStream(manager, SNAPSHOTS, copies);
  return events;
}

/** Undefined when there is none of that name. */
export async function findStream(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== JetStreamApiCodes.StreamNotFound) throw error;
    return undefined;
  }
}

/** The id of the record at the position; undefined where there is none. */
export async function recordIdAt(manager: JetStreamManager, position: Position): Promise<string | undefined> {
  const message = await manager.streams.getMessage(EVENTS_STREAM, { seq: position });
  return message === null ? undefined : recordId(decodeRecord(message.string()));
}

/** What tells a record from others: the id of its first event, '' when none of its events can be read. */
export function recordId({ events }: DecodedRecord): string {
  return events[0]?.id ?? '';
}

async function addStream(
  manager: JetStreamManager,
  config: typeof EVENTS | typeof SNAPSHOTS,
  copies: number,
): Promise<StreamInfo> {
  try {
    return await manager.streams.add({ ...config, subjects: [...config.subjects], num_replicas: copies });
  } catch (error) {
    if (copies === 1 || !(error instanceof JetStreamApiError)) throw error;
    const why = `the stream ${config.name} cannot be made with ${copies} copies: ${error.message}`;
    throw new Error(`${why}; where fewer servers have to do, make it yourself`, { cause: error });
  }
}

/** Of how many servers each stream should be kept by. */
export function copiesIn(clustered: boolean): number {
  return clustered ? CLUSTER_COPIES : 1;
}

/** What is unsafe about how the stream of events is kept, each as the end of a sentence. */
export function weaknessesOf(config: StreamConfig, copies: number): string[] {
  const found: string[] = [];
  if (config.num_replicas < copies) found.push(`only ${config.num_replicas} of the servers keep it`);
  if (config.storage !== EVENTS.storage) found.push('it is in memory and ends with the server');
  if (config.retention !== EVENTS.retention) found.push(`its retention is ${config.retention}`);
  if (config.discard !== EVENTS.discard) found.push('at its limits it forgets old events');
  if (config.max_age > 0) found.push('it forgets events by age');
  if (config.max_msgs_per_subject > 0) found.push('it keeps only some records of each subject');
  if (!config.deny_delete || !config.deny_purge) found.push('events can be deleted from it');
  if (config.duplicate_window < EVENTS.duplicate_window)
    found.push('its duplicate window is under 2 minutes');
  return found;
}
