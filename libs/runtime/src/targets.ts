import type { Origin, TargetSettings } from '@usher/domain';
import { networkList, plainAddress } from './networks.ts';

/** Networks in which no backend is by itself: who gets there gets at the machine, the cloud's own services, or many at once. */
const FORBIDDEN = [
  // This machine, by another name.
  '0.0.0.0/8',
  '::/128',
  // Link-local, where clouds tell machines their secrets.
  '169.254.0.0/16',
  'fe80::/10',
  // The same elsewhere: Alibaba, Azure, Oracle, Amazon, Google.
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
  // Many at once, and what is reserved.
  '224.0.0.0/4',
  '240.0.0.0/4',
  'ff00::/8',
  // IPv6 addresses with an IPv4 address in them that would get round all this.
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2002::/16',
].map((network) => ({ has: networkList([network]), ...parts(network) }));

/** Where backends may be that somebody else than an operator declares. */
export interface Targets {
  /** Whether a backend may be at this host, by what it is called. */
  readonly allowsHost: (origin: Pick<Origin, 'host' | 'named'>) => boolean;
  /** Whether a name that is allowed may lead to this address. */
  readonly allowsAddress: (address: string) => boolean;
}

/**
 * Targets as settings say; without any, every host but the forbidden networks. Those are allowed only by a network that
 * lies within them. Where networks are named, the addresses of names have to be in them too: whoever has a name can have it
 * lead anywhere.
 */
export function targetsOf(settings: TargetSettings | undefined): Targets {
  const { networks = [], names = [] } = settings ?? {};
  const isListed = networkList(networks);
  const isMeant = networkList(networks.filter(isWithinForbidden));
  const allowsAddress = (address: string) =>
    isForbidden(address) ? isMeant(address) : networks.length === 0 || isListed(address);
  const allowsName = (host: string) => settings === undefined || isNamed(host.toLowerCase(), names);
  return {
    allowsAddress,
    allowsHost: ({ host, named }) =>
      named
        ? allowsName(host)
        : plainAddress(host) !== undefined &&
          allowsAddress(host) &&
          (settings === undefined || isListed(host)),
  };
}

function isForbidden(address: string): boolean {
  return FORBIDDEN.some(({ has }) => has(address));
}

function isWithinForbidden(network: string): boolean {
  const { address, bits } = parts(network);
  return FORBIDDEN.some((forbidden) => forbidden.has(address) && bits >= forbidden.bits);
}

function parts(network: string): { readonly address: string; readonly bits: number } {
  const [address = '', bits] = network.split('/');
  return { address, bits: Number(bits) };
}

function isNamed(host: string, names: readonly string[]): boolean {
  return names.some((name) =>
    name.startsWith('*.') ? host.length > name.length - 1 && host.endsWith(name.slice(1)) : host === name,
  );
}
