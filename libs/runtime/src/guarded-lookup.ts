import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Targets } from './targets.ts';

/** Looks names up as the system does, but for addresses that they must not lead to. */
export function guardedLookup({ allowsAddress }: Targets): LookupFunction {
  return (name, options, callback) => {
    lookup(name, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, []);
      const allowed = found.filter(({ address }) => allowsAddress(address));
      const [first] = allowed;
      if (first === undefined)
        return callback(new Error(`${name} leads only to addresses where its pool takes no agents`), []);
      if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}
