import { lookup } from 'node:dns/promises';
import { createServer } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { UsherError } from '@usher/domain';
import type { Clock, Log, TlsSource } from '@usher/ports';
import type { ListenAddress, ListenerStart } from '../worker/protocol.ts';
import { ListenerCertificates, type Reloads } from './listener-certificates.ts';
import { claimPorts } from './port-claims.ts';
import type { Workers } from './workers.ts';

const EVERY_ADDRESS = new Set(['0.0.0.0', '::']);

export interface ListenerSettings extends ListenAddress {
  /** Where its certificates come from; left out, it is plain. */
  readonly tls?: TlsSource | undefined;
}

/** Where sockets that listen on an address can be had from. */
export type Inherit = (address: ListenAddress) => Promise<readonly number[]>;

interface Listener {
  /** It stays while the address does, and with it the sockets that listen. */
  readonly id: number;
  /** As in the settings; a port of 0 is that. */
  readonly asked: ListenAddress;
  /** With the port that was found. */
  readonly address: ListenAddress;
  readonly certificates: ListenerCertificates | undefined;
}

/** Where a gateway takes traffic: what its workers listen on now, and how that changes. */
export class Listeners {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #workers: Workers;
  readonly #inherit: Inherit;
  readonly #reloads: Reloads = { ok: 0, failed: 0 };
  #current: readonly Listener[] = [];
  #nextId = 0;

  constructor(clock: Clock, log: Log, workers: Workers, inherit: Inherit = async () => []) {
    this.#clock = clock;
    this.#log = log;
    this.#workers = workers;
    this.#inherit = inherit;
  }

  get addresses(): readonly ListenAddress[] {
    return this.#current.map(({ address }) => address);
  }

  /** What a worker that starts now has to listen on. */
  get starts(): readonly ListenerStart[] {
    return this.#current.map(startOf);
  }

  get certificates(): readonly ListenerCertificates[] {
    return this.#current.flatMap(({ certificates }) => certificates ?? []);
  }

  get reloads(): Readonly<Reloads> {
    return this.#reloads;
  }

  /**
   * Makes all workers follow `settings`. Rejects, with everything as it was, when an address cannot be listened on or
   * certificates cannot be used.
   */
  async change(settings: readonly ListenerSettings[]): Promise<void> {
    const before = this.#current;
    const next: Listener[] = [];
    try {
      const left = [...before];
      for (const each of settings) next.push(this.#follow(each, left));
      await this.#open(next);
    } catch (error) {
      stopOthers(next, before);
      throw error;
    }
    stopOthers(before, next);
  }

  stop(): void {
    stopOthers(this.#current, []);
  }

  async #open(next: readonly Listener[]): Promise<void> {
    const known = new Set(this.#current.map(({ id }) => id));
    const added: ListenAddress[] = [];
    const sockets = new Map<number, readonly number[]>();
    for (const { id, address } of next) {
      if (known.has(id)) continue;
      const inherited = await this.#inherit(address);
      if (inherited.length > 0) sockets.set(id, inherited);
      else added.push(address);
    }
    const releasePorts = await claimPorts(added);
    try {
      for (const address of added) await assertFree(address, this.addresses);
      const starts = next.map(startOf);
      const told = starts.map((each) => ({ ...each, sockets: sockets.get(each.id) }));
      await this.#workers.listen(told, (ports) => this.#commit(next, ports, starts));
    } finally {
      await releasePorts();
    }
  }

  #follow(settings: ListenerSettings, left: Listener[]): Listener {
    const { tls: _files, ...asked } = settings;
    const at = left.findIndex((other) => other.asked.host === asked.host && other.asked.port === asked.port);
    const [same] = at < 0 ? [] : left.splice(at, 1);
    const id = same?.id ?? this.#nextId++;
    const address = { ...asked, port: same?.address.port ?? asked.port };
    return { id, asked, address, certificates: this.#certificates(id, settings, same?.certificates) };
  }

  #certificates(
    id: number,
    { host, port, tls }: ListenerSettings,
    known: ListenerCertificates | undefined,
  ): ListenerCertificates | undefined {
    if (tls === undefined) return undefined;
    if (known?.isOf(tls) === true) return known;
    const certificates: ListenerCertificates = new ListenerCertificates({
      source: tls,
      listener: `${host}:${port}`,
      clock: this.#clock,
      log: this.#log,
      reloads: this.#reloads,
      onChange: (changed) => {
        // Until the workers have this listener as it shall be, they have to be spared what is for it alone.
        if (this.certificates.includes(certificates)) this.#tell(id, changed);
      },
    });
    return certificates;
  }

  #commit(next: readonly Listener[], ports: readonly number[], told: readonly ListenerStart[]): void {
    this.#current = next.map((listener, place) => ({
      ...listener,
      address: { ...listener.address, port: ports[place] ?? listener.address.port },
    }));
    // What has changed since the workers were told was kept from them.
    for (const [place, { id, certificates }] of next.entries()) {
      const tls = certificates?.tls;
      if (tls !== undefined && !isDeepStrictEqual(tls, told[place]?.tls)) this.#tell(id, tls);
    }
  }

  #tell(listener: number, tls: ListenerCertificates['tls']): void {
    this.#workers.broadcast({ kind: 'tls', listener, tls });
  }
}

function startOf({ id, address, certificates }: Listener): ListenerStart {
  return { ...address, id, tls: certificates?.tls };
}

/** Stops following the files that none of `others` follows. */
function stopOthers(listeners: readonly Listener[], others: readonly Listener[]): void {
  const kept = new Set(others.map(({ certificates }) => certificates));
  for (const { certificates } of listeners) if (!kept.has(certificates)) certificates?.stop();
}

/**
 * Refuses an address that somebody else listens on already. Workers share their ports with each other, and so the kernel
 * would let two gateways on one machine share them by mistake too, each getting a part of the traffic. `ours` are
 * addresses that we listen on: one of them may be in the way of this one, as 0.0.0.0 is of every other on its port.
 */
async function assertFree(address: ListenAddress, ours: readonly ListenAddress[]): Promise<void> {
  const { host, port } = address;
  if (port === 0) return;
  const error = await failureToListen(address);
  if (error === undefined) return;
  for (const other of ours)
    if (error.code === 'EADDRINUSE' && other.port === port && (await overlap(host, other.host))) return;
  const cause =
    error.code === 'EADDRINUSE'
      ? 'another process listens there; stop it, or choose another port'
      : error.message;
  throw new UsherError('conflict', `listen: cannot listen on ${host}:${port}: ${cause}`);
}

async function failureToListen({ host, port }: ListenAddress): Promise<NodeJS.ErrnoException | undefined> {
  const probe = createServer();
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    probe.once('error', resolve);
    probe.listen({ host, port, exclusive: true }, () => resolve(undefined));
  });
  if (error === undefined) await new Promise((resolve) => probe.close(resolve));
  return error;
}

async function overlap(one: string, other: string): Promise<boolean> {
  if (EVERY_ADDRESS.has(one) || EVERY_ADDRESS.has(other)) return true;
  const [first, second] = await Promise.all([lookup(one), lookup(other)]);
  return first.address === second.address;
}
