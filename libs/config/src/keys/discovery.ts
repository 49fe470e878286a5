import { resolve } from 'node:path';
import { type DiscoverySettings, parseBackendUrl } from '@usher/domain';
import type { Reading } from '../reading.ts';
import { list, mapped } from '../types/collections.ts';
import { filePath } from '../types/names.ts';
import { hostName, nameServer } from '../types/network.ts';
import { oneOf } from '../types/scalar.ts';
import { defaulted, optional, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';
import { duration } from '../types/units.ts';
import { backendUrl } from '../types/urls.ts';

const keys = section({
  dns: optional('not by addresses', {
    to: 'dns',
    type: backendUrl,
    doc: 'Scheme, host name and port, as in `http://web.internal:3000`. Every IPv4 and IPv6 address of the name is a backend. The name is looked up as it is written, without search domains and without /etc/hosts.',
  }),
  srv: optional('not by SRV records', {
    to: 'srv',
    type: hostName,
    doc: 'Name of SRV records, as in `_http._tcp.web.internal`. Every address of every target is a backend with the port, weight and priority of the record.',
  }),
  scheme: optional('`http`', {
    to: 'scheme',
    type: oneOf(['http', 'https']),
    doc: 'How the targets of SRV records are spoken to.',
  }),
  file: optional('not in a file', {
    to: 'file',
    type: filePath,
    doc: 'A file with a list of backends in YAML or JSON, each written as in `backends`. It is watched. A relative path starts at the folder of the configuration file; each scheduler reads it on its own machine.',
  }),
  servers: optional('those of the machine', {
    to: 'servers',
    type: list(nameServer, { min: 1 }),
    doc: 'Name servers to ask, by their addresses, such as `127.0.0.1:8600`.',
  }),
  refresh_min: defaulted('5s', {
    to: 'refreshMinMs',
    type: duration({ min: '100ms', max: '1h' }),
    doc: 'How long a name is not looked up again, however short its records say that they are valid.',
  }),
  refresh_max: defaulted('1m', {
    to: 'refreshMaxMs',
    type: duration({ min: '100ms', max: '24h' }),
    doc: 'After how long a name is looked up again, however long its records say that they are valid.',
    why: 'Records live for an hour or a day where nobody thought of backends that move.',
  }),
});

const SOURCES = ['dns', 'srv', 'file'] as const;

type Given = ReturnType<(typeof keys)['read']>;

/** Where a pool's backends are found. */
export const discovery: Type<DiscoverySettings> = mapped(
  keys,
  (given, _path, reading): DiscoverySettings => {
    const [source, ...others] = SOURCES.filter((key) => given[key] !== undefined);
    if (source === undefined) reading.complain(given, '', 'needs one of dns, srv and file');
    for (const other of others)
      reading.complain(given, other, `there is ${source} already; a pool has one source`);
    if (given.scheme !== undefined && source !== 'srv')
      reading.complain(given, 'scheme', 'has no meaning without srv');
    if (given.dns !== undefined) return byAddress(given.dns, given, reading);
    if (given.srv !== undefined)
      return { by: 'srv', tls: given.scheme === 'https', name: given.srv, ...asking(given, reading) };
    for (const key of ['servers', 'refresh_min', 'refresh_max'])
      if (reading.isWritten(given, key)) reading.complain(given, key, 'has no meaning without dns or srv');
    return { by: 'file', file: resolve(reading.surroundings.folder, given.file ?? '.') };
  },
  taken,
);

function taken(settings: DiscoverySettings): Partial<Given> {
  if (settings.by === 'file') return { file: settings.file };
  const { by, tls, name, servers, refreshMinMs, refreshMaxMs } = settings;
  const scheme = tls ? 'https' : 'http';
  const asked = { refreshMinMs, refreshMaxMs, ...(servers === undefined ? {} : { servers }) };
  return by === 'srv'
    ? { srv: name, scheme, ...asked }
    : { dns: `${scheme}://${name}:${settings.port}`, ...asked };
}

function byAddress(url: string, given: Given, reading: Reading): DiscoverySettings {
  const origin = parseBackendUrl(url);
  const read = typeof origin === 'string' ? { tls: false, host: '', port: 1, named: true } : origin;
  if (typeof origin === 'string') reading.complain(given, 'dns', origin);
  if (!read.named)
    reading.complain(given, 'dns', 'this is an address, which nobody has to look up; list it in backends');
  return { by: 'dns', tls: read.tls, name: read.host, port: read.port, ...asking(given, reading) };
}

function asking(given: Given, reading: Reading) {
  const { refreshMinMs, refreshMaxMs, servers } = given;
  if (refreshMinMs > refreshMaxMs) reading.complain(given, 'refresh_min', 'is longer than refresh_max');
  const bounds = { refreshMinMs, refreshMaxMs };
  return servers === undefined ? bounds : { ...bounds, servers };
}
