import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type StreamInfo,
} from '@nats-io/jetstream';
import { decodeRecord, eventTimeMs } from '@usher/events';
import type { Clock, ClockReading } from '@usher/ports';
import { connect, type NatsConnection, nanos, PermissionViolationError } from 'nats';
import { connectionOptions, type JetStreamOptions } from './connection-options.ts';
import { describeDurability } from './server-version.ts';
import { lossOf } from './stream-identity.ts';
import { copiesIn, EVENTS_STREAM, findStream, weaknessesOf } from './streams.ts';

const ANSWER_MS_MAX = 2000;
/** No stream gets so long, so an append that expects it is refused after the right to it was found. */
const NEVER_REACHED = Number.MAX_SAFE_INTEGER;
/** How many of the last records are looked at for the clocks of their writers. */
const RECORDS_MAX = 20;
/** How long the server keeps the consumer of which only the time is wanted, should its removal fail. */
const CONSUMER_MS = 5000;

/** What a process of the fleet has to be allowed in NATS. */
export interface NatsRights {
  readonly subscribe: readonly string[];
  /** Without JetStream. */
  readonly publish: readonly string[];
  /** To the stream of events. */
  readonly append: readonly string[];
}

export interface NatsExamination {
  readonly server: string;
  readonly version: string;
  /** What acknowledged events survive, in a sentence. */
  readonly durability: string;
  /** Of the server; undefined when it did not tell. */
  readonly clock: ClockReading | undefined;
  /** Undefined while there is none: the first process makes it. */
  readonly stream: { readonly weaknesses: readonly string[]; readonly loss: string | undefined } | undefined;
  /** By how much events are dated before they were stored, at least, by their source; less than 0: they are dated later. */
  readonly lagMs: ReadonlyMap<string, number>;
  /** What is not allowed or does not work, such as `publish to usher.commands.any`. */
  readonly refused: readonly string[];
}

/**
 * Looks at a NATS server as a process of the fleet would use it, and changes nothing. Throws when it cannot be reached,
 * refuses the credentials, or they cannot be used.
 */
export async function examineNats(
  options: Omit<JetStreamOptions, 'log'>,
  rights: NatsRights,
): Promise<NatsExamination> {
  const connection = await connect({
    ...connectionOptions(options),
    reconnect: false,
    ignoreAuthErrorAbort: false,
  });
  const refused = new Set<string>();
  void collectRefusals(connection, refused);
  try {
    const { version = '0', cluster } = connection.info ?? {};
    const common = { server: connection.getServer(), version, durability: describeDurability(version) };
    await tryMessages(connection, rights);
    const streams = await tryJetStream(connection, options.clock, {
      rights,
      refused,
      copies: copiesIn(cluster !== undefined),
    });
    // What was refused before this round trip has been heard of after it.
    await connection.flush();
    return { ...common, ...streams, refused: [...refused].toSorted() };
  } finally {
    await connection.close();
  }
}

async function collectRefusals(connection: NatsConnection, refused: Set<string>): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type !== 'error' || !(status.error instanceof PermissionViolationError)) continue;
    const { operation, subject } = status.error;
    refused.add(`${operation === 'publish' ? 'publish to' : 'subscribe to'} ${subject}`);
  }
}

/** Whoever hears what is published here has no use for it: it is empty, and nobody waits for an answer. */
async function tryMessages(connection: NatsConnection, { subscribe, publish }: NatsRights): Promise<void> {
  for (const subject of subscribe) connection.subscribe(subject, { callback: () => {} });
  for (const subject of publish) connection.publish(subject);
  await connection.flush();
}

interface Trial {
  readonly rights: NatsRights;
  readonly refused: Set<string>;
  readonly copies: number;
}

async function tryJetStream(
  connection: NatsConnection,
  clock: Clock,
  { rights, refused, copies }: Trial,
): Promise<Pick<NatsExamination, 'clock' | 'stream' | 'lagMs'>> {
  const nothing = { clock: undefined, stream: undefined, lagMs: new Map() };
  const options = { timeout: ANSWER_MS_MAX };
  let manager: JetStreamManager;
  let info: StreamInfo | undefined;
  try {
    manager = await jetstreamManager(connection, options);
    info = await findStream(manager, EVENTS_STREAM);
  } catch (error) {
    refused.add(`use JetStream: ${(error as Error).message}`);
    return nothing;
  }
  if (info === undefined) return nothing;
  for (const subject of rights.append) await tryAppend(jetstream(connection, options), subject, refused);
  return {
    clock: await readClock(manager, clock, refused),
    stream: { weaknesses: weaknessesOf(info.config, copies), loss: lossOf(info) },
    lagMs: await lagsOf(manager, info, refused),
  };
}

async function tryAppend(client: JetStreamClient, subject: string, refused: Set<string>): Promise<void> {
  try {
    await client.publish(subject, '', { expect: { lastSequence: NEVER_REACHED }, timeout: ANSWER_MS_MAX });
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamWrongLastSequence)
      return;
    if (isRefusal(error)) return;
    refused.add(`append to ${subject}: ${(error as Error).message}`);
  }
}

/** The server says when it made a consumer; one is made for no other reason, as readers of the log make theirs. */
async function readClock(
  manager: JetStreamManager,
  clock: Clock,
  refused: Set<string>,
): Promise<ClockReading | undefined> {
  const askedMs = clock.now();
  try {
    const { name, created } = await manager.consumers.add(EVENTS_STREAM, {
      ack_policy: 'none',
      deliver_policy: 'new',
      inactive_threshold: nanos(CONSUMER_MS),
      mem_storage: true,
      num_replicas: 1,
    });
    const answeredMs = clock.now();
    await manager.consumers.delete(EVENTS_STREAM, name);
    return { askedMs, answeredMs, theirMs: Date.parse(created) };
  } catch (error) {
    if (!isRefusal(error)) refused.add(`read the stream of events: ${(error as Error).message}`);
    return undefined;
  }
}

async function lagsOf(
  manager: JetStreamManager,
  { state }: StreamInfo,
  refused: Set<string>,
): Promise<Map<string, number>> {
  const lagMs = new Map<string, number>();
  // An empty stream begins at 0, where no record ever is.
  const from = Math.max(1, state.first_seq, state.last_seq - RECORDS_MAX + 1);
  try {
    for (let seq = from; seq <= state.last_seq; seq++) {
      const message = await manager.streams.getMessage(EVENTS_STREAM, { seq });
      const [event] = message === null ? [] : decodeRecord(message.string()).events;
      if (message === null || event === undefined) continue;
      const lag = message.time.getTime() - eventTimeMs(event);
      lagMs.set(event.source, Math.min(lag, lagMs.get(event.source) ?? lag));
    }
  } catch (error) {
    if (!isRefusal(error)) refused.add(`read a record: ${(error as Error).message}`);
  }
  return lagMs;
}

/** The status of the connection tells of it too, and for what. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof PermissionViolationError || (error as Error).cause instanceof PermissionViolationError
  );
}
