import { decodeRecord } from '@usher/events';
import type { LogRecord, Position, Timer } from '@usher/ports';
import { createInbox, type Msg, nanos, nuid, type Subscription } from 'nats';
import type { Link, Session } from './link.ts';
import { EVENTS_STREAM, recordId } from './streams.ts';

const HEARTBEAT_MS = 1000;
/** Missed heartbeats after which the consumer is taken for dead. */
const SILENT_HEARTBEATS_MAX = 2;
const RETRY_MS = 500;
/** The server forgets a consumer whose reader is gone for so long. */
const INACTIVE_MS = 60_000;

/**
 * Hands over the records of the stream in order, each once, for as long as it takes. It reads by an ephemeral consumer
 * that is made anew, from the position reached, after every reconnect, after a gap in the deliveries and after silence:
 * the server may have sent what never arrived, and would not send it again.
 */
export class OrderedReader {
  #position: Position;
  readonly #link: Link;
  readonly #apply: (record: LogRecord) => void;
  readonly #until: Position;
  readonly #caughtUp = Promise.withResolvers<void>();
  readonly #unlisten: () => void;
  readonly #heartbeats: Timer;
  #subscription: Subscription | undefined;
  #consumer = '';
  /** Deliveries of the present consumer. */
  #delivered = 0;
  /** Position at which it has caught up; not known before the stream has been seen. */
  #goal: Position | undefined;
  #silentHeartbeats = 0;
  /** The present consumer is there. Making one may take a cluster longer than any heartbeat, and fails in its own time. */
  #made = false;
  #stopped = false;

  constructor(
    link: Link,
    after: Position,
    apply: (record: LogRecord) => void,
    until: Position = Number.POSITIVE_INFINITY,
  ) {
    this.#link = link;
    this.#position = after;
    this.#apply = apply;
    this.#until = until;
    this.#unlisten = link.onSession((session) => void this.#begin(session));
    this.#heartbeats = link.clock.every(HEARTBEAT_MS, () => this.#listen());
    this.#restart();
  }

  get position(): Position {
    return this.#position;
  }

  /** Resolves once everything is handed over that was in the stream at first, or up to `until`. */
  get caughtUp(): Promise<void> {
    return this.#caughtUp.promise;
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#unlisten();
    this.#heartbeats.cancel();
    this.#leave();
  }

  #restart(): void {
    if (this.#stopped || !this.#link.live) return;
    void this.#begin(this.#link.session());
  }

  /** Makes a consumer that starts behind the position reached. */
  async #begin({ connection, manager }: Session): Promise<void> {
    this.#leave();
    this.#delivered = 0;
    this.#made = false;
    const inbox = createInbox(this.#link.inboxPrefix);
    const name = nuid.next();
    this.#consumer = name;
    const subscription = connection.subscribe(inbox, {
      callback: (error, message) => {
        if (this.#subscription !== subscription) return;
        if (error !== null) this.#retry(name, error);
        else if (message.subject === inbox) this.#takeStatus(message);
        else this.#take(message);
      },
    });
    this.#subscription = subscription;
    try {
      const info = await this.#link.inspect(manager);
      // Records of another stream must not be folded on top of what this one had. The link says when it is right again.
      if (info === undefined) return;
      this.#goal ??= Math.min(info.state.last_seq, this.#until);
      await this.#link.guard(
        manager.consumers.add(EVENTS_STREAM, {
          name,
          deliver_subject: inbox,
          deliver_policy: 'by_start_sequence',
          opt_start_seq: this.#position + 1,
          ack_policy: 'none',
          max_deliver: 1,
          flow_control: true,
          idle_heartbeat: nanos(HEARTBEAT_MS),
          inactive_threshold: nanos(INACTIVE_MS),
          mem_storage: true,
          num_replicas: 1,
        }),
      );
      this.#heed(name);
      this.#checkCaughtUp();
    } catch (error) {
      this.#retry(name, error as Error);
    }
  }

  /** From now on a consumer is expected to be heard of. */
  #heed(consumer: string): void {
    if (this.#consumer !== consumer) return;
    this.#made = true;
    this.#silentHeartbeats = 0;
  }

  /** Tries again a little later, unless that has been done already or the connection is what is missing. */
  #retry(consumer: string, error: Error): void {
    if (this.#consumer !== consumer || this.#stopped || !this.#link.live) return;
    this.#leave();
    this.#link.log.warn('the event log cannot be read from NATS; trying again', { error });
    this.#link.clock.after(RETRY_MS, () => {
      if (this.#consumer === '') this.#restart();
    });
  }

  #leave(): void {
    const consumer = this.#consumer;
    this.#consumer = '';
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
    if (consumer === '' || !this.#link.live) return;
    // The server would remove it by itself, but later.
    this.#link
      .session()
      .manager.consumers.delete(EVENTS_STREAM, consumer)
      .catch(() => {});
  }

  #take(message: Msg): void {
    this.#silentHeartbeats = 0;
    const { stream, delivery, pending } = deliveryOf(message);
    if (delivery !== this.#delivered + 1) {
      this.#restart();
      return;
    }
    this.#delivered = delivery;
    if (stream > this.#position && stream <= this.#until) {
      this.#position = stream;
      const text = Buffer.from(message.data.buffer, message.data.byteOffset, message.data.length).toString();
      const record = decodeRecord(text);
      this.#link.identity.meet(stream, recordId(record));
      this.#apply({ position: stream, subject: message.subject, ...record });
    }
    // Nothing pending: if the last records of the stream are missing, then there is nothing more to wait for.
    if (pending === 0) this.#caughtUp.resolve();
    else this.#checkCaughtUp();
  }

  #checkCaughtUp(): void {
    if (this.#goal !== undefined && this.#position >= this.#goal) this.#caughtUp.resolve();
  }

  /** Heartbeats, and requests to say that we keep up. */
  #takeStatus(message: Msg): void {
    this.#silentHeartbeats = 0;
    const stalled = message.headers?.get('Nats-Consumer-Stalled') ?? '';
    if (stalled !== '') this.#link.session().connection.publish(stalled);
    if (message.reply !== undefined && message.reply !== '') message.respond();
    const sent = Number(message.headers?.get('Nats-Last-Consumer') || '0');
    // The last deliveries were lost on the way, and nothing will follow that shows the gap.
    if (sent > this.#delivered) this.#restart();
  }

  #listen(): void {
    if (!this.#made) return;
    this.#silentHeartbeats += 1;
    if (this.#silentHeartbeats > SILENT_HEARTBEATS_MAX) this.#restart();
  }
}

/**
 * Reads the subject that a delivery would be acknowledged on:
 * `$JS.ACK.<stream>.<consumer>.<tries>.<stream sequence>.<delivery>.<time>.<pending>`; newer servers may put a domain
 * and an account before the stream and one token at the end.
 */
function deliveryOf(message: Msg): { stream: Position; delivery: number; pending: number } {
  const tokens = (message.reply ?? '').split('.');
  const at = tokens.length === 9 ? 5 : 7;
  return { stream: Number(tokens[at]), delivery: Number(tokens[at + 1]), pending: Number(tokens[at + 3]) };
}
