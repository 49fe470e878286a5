import { PathTable, parseBackendUrl } from '@usher/domain';
import type { BackendRow, BackendSlot, Endpoint, PoolTable } from '../routing-table.ts';
import { Addresses, type Hosts } from './addresses.ts';
import { TlsClient } from './tls-client.ts';

/** Where connections to the backend of a row go. */
export function endpointsOf(
  row: BackendRow,
  pool: PoolTable,
  hosts: Hosts,
): Pick<BackendSlot, 'endpoint' | 'endpoints' | 'byPath'> {
  const endpoint = newEndpoint(row, 0, row.url, pool, hosts);
  if (row.endpoints === undefined || row.endpoints.length === 0)
    return { endpoint, endpoints: [endpoint], byPath: undefined };
  const endpoints = [endpoint];
  const byPath = new PathTable<Endpoint>();
  for (const { path, url } of row.endpoints) {
    const other = newEndpoint(row, endpoints.length, url, pool, hosts);
    endpoints.push(other);
    byPath.add(path, other);
  }
  return { endpoint, endpoints, byPath };
}

/** The endpoint for a request. Its path is looked at only where there is more than one. */
export function endpointFor(slot: BackendSlot, request: { readonly path: string }): Endpoint {
  const { byPath } = slot;
  return byPath === undefined ? slot.endpoint : (byPath.find(request.path) ?? slot.endpoint);
}

/** Whether connections go to the same places by both rows. */
export function sameEndpoints(a: BackendRow, b: BackendRow): boolean {
  if (a.url !== b.url || a.guarded !== b.guarded) return false;
  return a.endpoints === b.endpoints || JSON.stringify(a.endpoints) === JSON.stringify(b.endpoints);
}

function newEndpoint(
  { id: backend, guarded }: BackendRow,
  index: number,
  url: string,
  pool: PoolTable,
  hosts: Hosts,
): Endpoint {
  const origin = parseBackendUrl(url);
  if (typeof origin === 'string') throw new Error(`backend ${backend}: ${url} ${origin}`);
  return {
    backend,
    index,
    host: origin.host,
    port: origin.port,
    addresses: origin.named
      ? hosts.of(origin.host, guarded ? pool : undefined)
      : Addresses.fixed(origin.host),
    tls: origin.tls ? new TlsClient(pool, origin.host) : undefined,
    authority: origin.authority,
    connectFailures: undefined,
  };
}
