import { networkInterfaces } from 'node:os';
import type { Address, LocalSettings } from '@usher/config';

/** Where nobody but this process's file may put a backend: wherever it listens itself, at each address of the machine that leads there. */
export function ownAddresses({ listen, admin, metrics, opsen, helios }: LocalSettings): Address[] {
  const machine = Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.map(({ address }) => address),
  );
  return [...listen, admin, metrics, opsen, helios].flatMap((server) => {
    if (server === null || server === undefined) return [];
    const { host, port } = server;
    const isEverywhere = host === '::' || host === '0.0.0.0';
    return (isEverywhere ? machine : [host]).map((each) => ({ host: each, port }));
  });
}
