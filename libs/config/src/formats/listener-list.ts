import type { Place } from '../fault.ts';
import type { Input } from '../input/input.ts';
import { map, series, value } from './draft.ts';
import type { Remarks } from './remarks.ts';

/** A word and where it stands. */
interface Written {
  readonly text: string;
  readonly at: Place;
}

export interface ListenerTls {
  readonly certificates: readonly { readonly cert: string; readonly key: string; readonly at: Place }[];
  readonly minVersion?: string | undefined;
  readonly ciphers?: Written | undefined;
  readonly clientCa?: Written | undefined;
  readonly clientAuth?: Written | undefined;
}

export interface ForeignListener {
  /** An IPv6 address in brackets. */
  readonly host: string;
  readonly port: number;
  readonly at: Place;
  readonly proxyProtocol: boolean;
  readonly http2: boolean;
  readonly tls: ListenerTls | undefined;
}

const EVERY_IPV6 = '[::]';

/** Addresses from servers that may share them: certificates of all of them are together, the rest is that of the first. */
export class ListenerList {
  readonly #remarks: Remarks;
  readonly #listeners = new Map<string, ForeignListener>();

  constructor(remarks: Remarks) {
    this.#remarks = remarks;
  }

  add(listener: ForeignListener): void {
    const key = `${listener.host}:${listener.port}`;
    const before = this.#listeners.get(key);
    if (before === undefined) {
      this.#listeners.set(key, listener);
      return;
    }
    if ((before.tls === undefined) !== (listener.tls === undefined))
      this.#remarks.lost('listen', listener.at, `${key} is there already, with TLS or without it`);
    if (before.tls === undefined || listener.tls === undefined) return;
    const known = new Set(before.tls.certificates.map(({ cert }) => cert));
    const more = listener.tls.certificates.filter(({ cert }) => !known.has(cert));
    const certificates = [...before.tls.certificates, ...more];
    this.#listeners.set(key, { ...before, tls: { ...before.tls, certificates } });
  }

  list(): Input | undefined {
    const all = [...this.#listeners.values()];
    // An address for every IPv6 host takes IPv4 connections too.
    const every = new Set(all.filter(({ host }) => host === EVERY_IPV6).map(({ port }) => port));
    const kept = all.filter(
      ({ host, port }) => host === EVERY_IPV6 || !(every.has(port) && !host.startsWith('[')),
    );
    return kept.length === 0 ? undefined : series(kept.map(listenerInput));
  }
}

function listenerInput({ host, port, at, proxyProtocol, http2, tls }: ForeignListener): Input {
  return map(
    {
      address: value(`${host}:${port}`, at),
      tls: tls === undefined ? undefined : tlsInput(tls, at),
      http2: http2 ? undefined : value(false, at),
      proxy_protocol: proxyProtocol ? value(true, at) : undefined,
    },
    at,
  );
}

function tlsInput(
  { certificates, minVersion, ciphers, clientCa, clientAuth }: ListenerTls,
  at: Place,
): Input {
  const pairs = certificates.map(({ cert, key, at: place }) =>
    map({ cert: value(cert, place), key: value(key, place) }, place),
  );
  return map(
    {
      certificates: series(pairs, at),
      min_version: minVersion === undefined ? undefined : value(minVersion, at),
      ciphers: word(ciphers),
      client_ca: word(clientCa),
      client_auth: word(clientAuth),
    },
    at,
  );
}

function word(written: Written | undefined): Input | undefined {
  return written === undefined ? undefined : value(written.text, written.at);
}
