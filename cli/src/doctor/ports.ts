import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Address, UsherConfig } from '@usher/config';
import { listenFault } from '../process/listening.ts';
import { type Finding, findingsAbout } from './finding.ts';

const { ok, error } = findingsAbout('ports');

/** Whether each address of the configuration can be listened on. `running`: an Usher with this configuration runs. */
export async function lookAtPorts({ local }: UsherConfig, running: boolean): Promise<Finding[]> {
  const addresses: [string, Address | null | undefined][] = [
    ...local.listen.map((address, index): [string, Address] => [`listen[${index}]`, address]),
    ['admin.address', local.admin],
    ['metrics.address', local.metrics],
    ['opsen.address', local.opsen],
  ];
  const found = await Promise.all(
    addresses.map(async ([key, address]) => {
      if (address === null || address === undefined) return [];
      const { host, port } = address;
      const where = `${host}:${port}`;
      const code = await refusalOf(address);
      if (code === undefined) return ok(`${key}: ${where} is free`);
      if (code === 'EADDRINUSE' && running) return ok(`${key}: ${where} is held, and this Usher runs`);
      const remedy =
        code === 'EADDRINUSE' ? `\`ss -ltnp 'sport = :${port}'\` says who` : 'then run this again';
      return error(`${key}: cannot listen on ${where}: ${listenFault(code)}`, remedy);
    }),
  );
  return found.flat();
}

/** Listens for a moment; the code of the error when that fails. */
async function refusalOf({ host, port }: Address): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    return undefined;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code ?? 'an unknown error';
  } finally {
    server.close();
  }
}
