import { UsherError } from '@usher/domain';
import type { MessageBus, Offer, Refusal, Subscription } from '@usher/ports';
import { headers, type Msg, type MsgHdrs, type NatsConnection, RequestError, TimeoutError } from 'nats';
import { INBOX_PREFIX } from './connection-options.ts';
import type { Link } from './link.ts';
import { DISCOVERY_SUBJECT, ServiceDesk } from './service-desk.ts';

/** Of all that serve a subject one gets each request. */
const SERVERS_QUEUE = 'usher';

/** Messages over core NATS. What is published without a connection is dropped. */
export class NatsBus implements MessageBus {
  readonly #link: Link;
  readonly #subscribers = new Set<(connection: NatsConnection) => void>();
  #connection: NatsConnection | undefined;

  constructor(link: Link) {
    this.#link = link;
    link.onConnection((connection) => {
      this.#connection = connection;
      for (const subscribe of this.#subscribers) subscribe(connection);
    });
  }

  async request(subject: string, payload: string, timeoutMs: number): Promise<string> {
    if (!this.#link.live) throw new UsherError('no_leader', 'NATS is not connected');
    const { connection } = this.#link.session();
    const asked = connection.request(subject, Buffer.from(payload), { timeout: timeoutMs });
    try {
      return (await this.#link.guard(asked)).string();
    } catch (error) {
      throw new UsherError('no_leader', reasonOf(error, subject, timeoutMs), { cause: error });
    }
  }

  serve(
    subject: string,
    handler: (subject: string, payload: string) => Promise<string>,
    offer?: Offer,
  ): Subscription {
    if (offer === undefined) return this.#serve(subject, handler, undefined);
    const desk = new ServiceDesk(offer, SERVERS_QUEUE, this.#link.clock);
    const serving = this.#serve(subject, handler, desk);
    const discovery = this.#listen(DISCOVERY_SUBJECT, {}, (message) => {
      if (!mayAnswer(message)) return;
      const answer = desk.answer(message.subject);
      if (answer !== undefined) message.respond(Buffer.from(answer));
    });
    return {
      stop: () => {
        discovery.stop();
        serving.stop();
      },
    };
  }

  #serve(
    subject: string,
    handler: (subject: string, payload: string) => Promise<string>,
    desk: ServiceDesk | undefined,
  ): Subscription {
    return this.#listen(subject, { queue: SERVERS_QUEUE }, (message) => {
      if (!mayAnswer(message)) return;
      const startedMs = this.#link.clock.now();
      const respond = (answer: string) => {
        const refusal = desk?.count(message.subject, startedMs, answer);
        return message.respond(Buffer.from(answer), refusal && { headers: headersOf(refusal) });
      };
      handler(message.subject, message.string())
        .then(respond)
        .catch((error: unknown) => {
          desk?.countFailure(message.subject, startedMs);
          this.#link.log.error('a request could not be served', { subject: message.subject, error });
        });
    });
  }

  publish(subject: string, payload: string): void {
    if (!this.#link.live) return;
    this.#link.session().connection.publish(subject, Buffer.from(payload));
  }

  subscribe(subject: string, handler: (subject: string, payload: string) => void): Subscription {
    return this.#listen(subject, {}, (message) => handler(message.subject, message.string()));
  }

  /** Subscribes now, or as soon as there is a connection; the client renews it when it connects again. */
  #listen(
    subject: string,
    options: { readonly queue?: string },
    handle: (message: Msg) => void,
  ): Subscription {
    let stop: (() => void) | undefined;
    const subscribe = (connection: NatsConnection): void => {
      const subscription = connection.subscribe(subject, {
        ...options,
        callback: (error, message) => {
          try {
            if (error !== null) throw error;
            handle(message);
          } catch (cause) {
            this.#link.log.error('a message could not be handled', { subject, error: cause });
          }
        },
      });
      stop = () => subscription.unsubscribe();
    };
    this.#subscribers.add(subscribe);
    if (this.#connection !== undefined) subscribe(this.#connection);
    return {
      stop: () => {
        this.#subscribers.delete(subscribe);
        stop?.();
      },
    };
  }
}

/** Otherwise who asks could have our answer published anywhere that we may publish, as an event for instance. */
function mayAnswer({ reply }: Msg): boolean {
  return reply?.startsWith(`${INBOX_PREFIX}.`) === true;
}

/** By these every client of services of NATS sees that an answer refuses. */
function headersOf({ status, title }: Refusal): MsgHdrs {
  const fields = headers();
  fields.set('Nats-Service-Error-Code', String(status));
  fields.set('Nats-Service-Error', title);
  return fields;
}

function reasonOf(error: unknown, subject: string, timeoutMs: number): string {
  if (error instanceof RequestError && error.isNoResponders()) return `nobody serves ${subject}`;
  if (error instanceof TimeoutError) return `no answer to ${subject} within ${timeoutMs} ms`;
  return `${subject}: ${(error as Error).message}`;
}
