import { promises as dns } from 'node:dns';
import type { Resolver } from '@usher/ports';

/** How long each name server gets, the first time; a second time it gets twice as long. */
const TIMEOUT_MS = 2_000;
const TRIES = 2;

/** What a name server says that knows the name and has no such records. */
const NO_RECORDS = 'ENODATA';

/** Asks name servers over the network, without the files and search domains of the machine. */
export const dnsResolver: Resolver = {
  async addresses(name, family, servers) {
    const asked = resolver(servers);
    const found = await orNone(
      family === 4 ? asked.resolve4(name, { ttl: true }) : asked.resolve6(name, { ttl: true }),
    );
    return found.map(({ address, ttl }) => ({ address, ttlMs: ttl * 1000 }));
  },
  async services(name, servers) {
    const found = await orNone(resolver(servers).resolveSrv(name));
    return found.map(({ name: target, port, priority, weight }) => ({ target, port, priority, weight }));
  },
};

/** A new one each time, because each reads anew which name servers the machine has. */
function resolver(servers: readonly string[] | undefined): dns.Resolver {
  const fresh = new dns.Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (servers !== undefined) fresh.setServers(servers);
  return fresh;
}

async function orNone<T>(records: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await records;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === NO_RECORDS) return [];
    throw error;
  }
}
