import {
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type StreamInfo,
} from '@nats-io/jetstream';
import { type Clock, type Log, LogReplacedError, LogUnavailableError, type Position } from '@usher/ports';
import { AuthorizationError, type ConnectionOptions, connect, type NatsConnection } from 'nats';
import { ConnectionStatus } from '../connection-status.ts';
import { connectionOptions, inboxPrefixOf, type JetStreamOptions } from './connection-options.ts';
import { assertVersion, describeDurability, UnsupportedServerError } from './server-version.ts';
import { lossOf, StreamIdentity } from './stream-identity.ts';
import { EVENTS_STREAM, ensureStreams, findStream, recordIdAt } from './streams.ts';

/** What a process uses of NATS: `messages` needs no right to JetStream. */
export type LinkUse = 'log' | 'messages';

/** A connection that has passed the checks: what callers work with while it lasts. */
export interface Session {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly payloadBytesMax: number;
}

const REQUEST_TIMEOUT_MS = 3000;
const RETRY_MS = 250;
/** How long a read waits for a connection before it gives up. */
const SESSION_WAIT_MS_MAX = 5000;
/** How long closing waits for the server to take what has been sent. */
const FLUSH_MS_MAX = 1000;
/** So many causes of one outage are said. */
const CAUSES_MAX = 10;
/** How often it looks whether a stream that was lost has been put back. */
const LOOK_AGAIN_MS = 5000;

/**
 * The connection to NATS. Connects for as long as it takes, and again whenever it is lost; counts as connected only
 * while there is a session.
 */
export class Link {
  readonly status: ConnectionStatus;
  readonly clock: Clock;
  readonly log: Log;
  readonly inboxPrefix: string;
  readonly identity = new StreamIdentity();
  readonly #options: ConnectionOptions;
  readonly #use: LinkUse;
  #connection: NatsConnection | undefined;
  /** The connection has a server at its other end, as far as is known. */
  #up = false;
  #session: Session | undefined;
  #maintaining = false;
  /** What was said of the present outage. */
  readonly #reported = new Set<string>();
  #closed = false;
  /** How to tell those that wait for an answer that none will come. */
  readonly #waiting = new Set<(error: Error) => void>();
  readonly #connectionListeners: ((connection: NatsConnection) => void)[] = [];
  readonly #sessionListeners = new Set<(session: Session) => void>();

  /** Throws when the credentials cannot be used. */
  constructor(options: JetStreamOptions, use: LinkUse = 'log') {
    const { name, log, clock } = options;
    this.#use = use;
    this.clock = clock;
    this.log = log;
    this.status = new ConnectionStatus(clock, false);
    this.inboxPrefix = inboxPrefixOf(name);
    this.#options = connectionOptions(options);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Resolves after the first attempt: connected, or trying on in the background. Throws what waiting does not mend:
   * the server refuses us or is too old.
   */
  async start(): Promise<void> {
    try {
      await this.#attempt();
    } catch (error) {
      if (error instanceof AuthorizationError || error instanceof UnsupportedServerError) {
        await this.close();
        throw error;
      }
      this.#report(error as Error);
      void this.#maintain();
    }
  }

  /** Whether there is a session, also one in which the log is not what it was. */
  get live(): boolean {
    return this.#session !== undefined;
  }

  /** Throws LogReplacedError while the stream is not the one that this process has read. */
  assertSameLog(): void {
    const { fault = '', replaced } = this.status.current;
    if (replaced === true) throw new LogReplacedError(fault);
  }

  /** The stream of events as it is now; undefined when it is not the one known, so that nothing may be read from it or written to it. */
  async inspect(manager: JetStreamManager): Promise<StreamInfo | undefined> {
    const { reached } = this.identity;
    const info = await this.guard(findStream(manager, EVENTS_STREAM));
    return (await this.#judge(manager, info, reached)) ? info : undefined;
  }

  async #judge(manager: JetStreamManager, info: StreamInfo | undefined, reached: Position): Promise<boolean> {
    const idAt = (position: Position) => this.guard(recordIdAt(manager, position));
    const fault = await this.identity.faultOf(info, reached, idAt);
    if (fault !== undefined) this.disown(fault);
    return fault === undefined;
  }

  /** Stops using the stream until it is found to be the one known again. */
  disown(fault: string): void {
    if (this.status.current.replaced !== true) {
      this.log.error('the event log was lost or replaced', { fault });
      this.#lookAgain();
    }
    this.status.setReplaced(fault);
  }

  #lookAgain(): void {
    this.clock.after(LOOK_AGAIN_MS, () => {
      void this.#look()
        .catch(() => false)
        .then((found) => found || this.#closed || this.#lookAgain());
    });
  }

  /** Goes on with the stream if it is the one known. */
  async #look(): Promise<boolean> {
    const session = this.#session;
    if (session === undefined) return false;
    const found = await this.inspect(session.manager);
    if (found === undefined || this.#session !== session) return false;
    this.#recognise(session, found);
    return true;
  }

  /** The stream of the session is the one known. */
  #recognise(session: Session, info: StreamInfo): void {
    if (this.status.current.replaced === true) this.log.info('the event log is back');
    const loss = lossOf(info);
    if (loss !== undefined) this.log.error('the event log lacks records', { loss });
    this.status.setLoss(loss);
    this.status.set(true);
    for (const listener of this.#sessionListeners) listener(session);
  }

  /** The session; throws LogUnavailableError at once when there is none. */
  session(): Session {
    if (this.#session !== undefined) return this.#session;
    throw new LogUnavailableError(this.#closed ? 'the event log is closed' : 'NATS is not connected');
  }

  /** The session, for which it waits a few seconds. */
  async awaitSession(): Promise<Session> {
    if (this.#session !== undefined || this.#closed) return this.session();
    const { promise, resolve, reject } = Promise.withResolvers<Session>();
    const stop = this.onSession(resolve);
    const timer = this.clock.after(SESSION_WAIT_MS_MAX, () =>
      reject(new LogUnavailableError('NATS is not connected')),
    );
    return this.guard(promise).finally(() => {
      stop();
      timer.cancel();
    });
  }

  /** Calls back with each new connection, on which subscriptions then live for as long as it is made again. */
  onConnection(listener: (connection: NatsConnection) => void): void {
    this.#connectionListeners.push(listener);
    if (this.#connection !== undefined) listener(this.#connection);
  }

  /** Calls back whenever a session begins. */
  onSession(listener: (session: Session) => void): () => void {
    this.#sessionListeners.add(listener);
    return () => void this.#sessionListeners.delete(listener);
  }

  /** The answer, or LogUnavailableError as soon as the connection is lost: the client itself waits for its timeout. */
  guard<T>(answer: Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.add(reject);
    answer.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    return promise;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const connection = this.#connection;
    if (connection !== undefined && this.#up) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = this.clock.after(FLUSH_MS_MAX, resolve);
      await Promise.race([connection.flush().catch(() => {}), promise]);
      timer.cancel();
    }
    this.#lose('the event log is closed');
    await connection?.close();
  }

  /** Attempts until there is a session, or until the connection is lost and the client makes it again. */
  async #maintain(): Promise<void> {
    if (this.#maintaining) return;
    this.#maintaining = true;
    while (!this.#closed && this.#session === undefined && (this.#up || this.#connection === undefined)) {
      try {
        await this.#attempt();
      } catch (error) {
        this.#report(error as Error);
        const { promise, resolve } = Promise.withResolvers<void>();
        this.clock.after(RETRY_MS, resolve);
        await promise;
      }
    }
    this.#maintaining = false;
  }

  async #attempt(): Promise<void> {
    const connection = this.#connection ?? (await this.#dial());
    if (connection === undefined) return;
    const version = connection.info?.version ?? '0';
    assertVersion(version);
    const options = { timeout: REQUEST_TIMEOUT_MS, checkAPI: this.#use === 'log' };
    const manager = await this.guard(jetstreamManager(connection, options));
    const { reached, known } = this.identity;
    const clustered = connection.info?.cluster !== undefined;
    const reads = this.#use === 'log';
    const events = reads
      ? await this.guard(ensureStreams(manager, this.log, { seenBefore: known, clustered }))
      : undefined;
    const client = jetstream(connection, options);
    const payloadBytesMax = connection.info?.max_payload ?? 0;
    const session = { connection, client, manager, payloadBytesMax };
    const same = reads && (await this.#judge(manager, events, reached));
    this.#session = session;
    this.#reported.clear();
    const server = connection.getServer();
    this.log.info('connected to NATS', { server, version, durability: describeDurability(version) });
    if (same && events !== undefined) this.#recognise(session, events);
  }

  /** Undefined when the log was closed meanwhile. */
  async #dial(): Promise<NatsConnection | undefined> {
    const connection = await connect(this.#options);
    if (this.#closed) {
      await connection.close();
      return undefined;
    }
    this.#connection = connection;
    this.#up = true;
    void this.#watch(connection);
    for (const listener of this.#connectionListeners) listener(connection);
    return connection;
  }

  /** Follows a connection until it ends for good. */
  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') {
        this.#up = false;
        this.#lose('the connection to NATS was lost');
      } else if (status.type === 'reconnect') {
        this.#up = true;
        void this.#maintain();
      } else if (status.type === 'error') {
        this.log.warn('NATS refused something', { error: status.error });
      }
    }
    this.#connection = undefined;
    void this.#maintain();
  }

  #lose(message: string): void {
    if (this.#session !== undefined && !this.#closed) this.log.warn(message);
    this.#session = undefined;
    this.status.set(false);
    const error = new LogUnavailableError(message);
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  /** Each cause once for each outage: attempts are many. */
  #report(error: Error): void {
    const { message } = error;
    if (this.#reported.has(message) || this.#reported.size === CAUSES_MAX) return;
    this.#reported.add(message);
    this.log.warn('NATS cannot be used yet; trying on', { error });
  }
}
