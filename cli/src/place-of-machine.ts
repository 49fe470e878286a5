import { BlockList, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Place } from '@usher/domain';

/** Networks whose addresses are nowhere on the Earth: private, shared, local, and reserved ones (RFC 6890). */
const NOWHERE = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const;

/**
 * Where this machine is, by a public address in the database in `file`. Without an address it is the first public one that
 * a network interface has. Rejects with why that is not known.
 */
export async function placeOfMachine(file: string, address = ownPublicAddress()): Promise<Place> {
  if (address === undefined)
    throw new Error('no network interface has a public address; name it with --public-address');
  // An agent that is told its place need not load it.
  const { openPlaceDatabase, readShared } = await import('@usher/geoip');
  const place = openPlaceDatabase(await readShared(file)).find(address)?.place;
  if (place === undefined) throw new Error(`${file} does not know where ${address} is`);
  return place;
}

function ownPublicAddress(): string | undefined {
  const nowhere = new BlockList();
  for (const [network, prefix] of NOWHERE) nowhere.addSubnet(network, prefix);
  const isPublic = (address: string) =>
    // Global unicast addresses of IPv6 are those below 2000::/3.
    isIPv4(address) ? !nowhere.check(address) : /^[23][0-9a-f]{3}:/.test(address);
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address)
    .find(isPublic);
}
