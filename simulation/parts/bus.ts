import { UsherError } from '@usher/domain';
import type { Clock, MessageBus, Subscription } from '@usher/ports';
import { subjectMatches } from '../../libs/event-log/src/subject-match.ts';
import type { Chance } from '../world/chance.ts';
import type { Network } from '../world/network.ts';
import type { LogLink } from './log-link.ts';
import type { LogServer } from './log-server.ts';

interface Subscribed {
  readonly link: LogLink;
  readonly pattern: string;
  readonly hear: (subject: string, payload: string) => void;
}

interface Serving {
  readonly link: LogLink;
  readonly pattern: string;
  readonly answer: (subject: string, payload: string) => Promise<string>;
}

/** Messages between processes, by way of the server that also has the log: at most once, and nothing is kept. */
export class BusHub {
  readonly network: Network;
  readonly server: LogServer;
  readonly #chance: Chance;
  readonly subscribed = new Set<Subscribed>();
  readonly serving = new Set<Serving>();

  constructor(network: Network, server: LogServer, chance: Chance) {
    this.network = network;
    this.server = server;
    this.#chance = chance;
  }

  publish(subject: string, payload: string): void {
    for (const each of this.subscribed) {
      if (!each.link.attached || !subjectMatches(each.pattern, subject)) continue;
      this.network.send({
        from: this.server.name,
        to: each.link.node,
        what: subject,
        twice: true,
        deliver: () => each.hear(subject, payload),
      });
    }
  }

  /** One of those that serve a subject; undefined when nobody does. */
  serverOf(subject: string): Serving | undefined {
    const able = [...this.serving].filter(
      ({ link, pattern }) => link.attached && subjectMatches(pattern, subject),
    );
    return able.length === 0 ? undefined : this.#chance.pick(able);
  }
}

/** The bus as one process has it. */
export class BusClient implements MessageBus {
  readonly #hub: BusHub;
  readonly #link: LogLink;
  readonly #clock: Clock;

  constructor(hub: BusHub, link: LogLink, clock: Clock) {
    this.#hub = hub;
    this.#link = link;
    this.#clock = clock;
  }

  async request(subject: string, payload: string, timeoutMs: number): Promise<string> {
    if (!this.#link.connected) throw new UsherError('no_leader', 'NATS is not connected');
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const timer = this.#clock.after(timeoutMs, () =>
      reject(new UsherError('no_leader', `no answer to ${subject} within ${timeoutMs} ms`)),
    );
    this.#forward(subject, payload, resolve, reject);
    return await promise.finally(() => timer.cancel());
  }

  serve(subject: string, handler: Serving['answer']): Subscription {
    const serving = { link: this.#link, pattern: subject, answer: handler };
    this.#hub.serving.add(serving);
    return { stop: () => void this.#hub.serving.delete(serving) };
  }

  publish(subject: string, payload: string): void {
    if (!this.#link.connected) return;
    const { network, server } = this.#hub;
    const deliver = (): void => this.#hub.publish(subject, payload);
    network.send({ from: this.#link.node.name, to: server, what: subject, deliver });
  }

  subscribe(subject: string, handler: Subscribed['hear']): Subscription {
    const subscribed = { link: this.#link, pattern: subject, hear: handler };
    this.#hub.subscribed.add(subscribed);
    return { stop: () => void this.#hub.subscribed.delete(subscribed) };
  }

  /** There and back in four steps, each of which can fail without a word. */
  #forward(
    subject: string,
    payload: string,
    resolve: (answer: string) => void,
    reject: (error: Error) => void,
  ): void {
    const { network, server } = this.#hub;
    const asking = this.#link.node;
    const back = (settle: () => void): void =>
      network.send({ from: server.name, to: asking, what: `answer to ${subject}`, deliver: settle });
    const deliver = (): void => {
      const serving = this.#hub.serverOf(subject);
      if (serving === undefined) {
        back(() => reject(new UsherError('no_leader', `nobody serves ${subject}`)));
        return;
      }
      const { node } = serving.link;
      const { scope } = node;
      const answer = async (): Promise<void> => {
        const text = await serving.answer(subject, payload);
        const passOn = (): void => back(() => resolve(text));
        const answered = { from: node.name, to: server, what: `answer to ${subject}`, deliver: passOn };
        scope.enter(() => network.send(answered));
      };
      network.send({ from: server.name, to: node, what: subject, deliver: () => void answer() });
    };
    network.send({ from: asking.name, to: server, what: subject, deliver });
  }
}
