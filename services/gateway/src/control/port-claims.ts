import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsherError } from '@usher/domain';
import type { ListenAddress } from '../worker/protocol.ts';

const POLL_MS = 50;
/** How long another gateway that starts on the same port may take; longer than any does. */
const WAIT_MAX_MS = 30_000;

/**
 * Lets gateways that start on the same port of one machine do so one after the other: from looking whether the port is
 * free until listening on it. The kernel keeps the claims, as names of sockets without a file (they live where the ports
 * live, and end with the process); a system without such names has no claims. Resolves with what gives the claims up.
 */
export async function claimPorts(listen: readonly ListenAddress[]): Promise<() => Promise<void>> {
  const releases: (() => Promise<void>)[] = [];
  const release = async (): Promise<void> => {
    for (const each of releases.splice(0)) await each();
  };
  if (process.platform !== 'linux') return release;
  // In one order, so that no two wait for each other.
  const ports = [...new Set(listen.map(({ port }) => port))].toSorted((a, b) => a - b);
  try {
    for (const port of ports) if (port !== 0) releases.push(await claim(port));
  } catch (error) {
    await release();
    throw error;
  }
  return release;
}

async function claim(port: number): Promise<() => Promise<void>> {
  for (let waitedMs = 0; waitedMs < WAIT_MAX_MS; waitedMs += POLL_MS) {
    const release = await tryClaim(port);
    if (release !== undefined) return release;
    await sleep(POLL_MS);
  }
  throw new UsherError(
    'conflict',
    `listen: another gateway on this machine has been starting on port ${port} for ${WAIT_MAX_MS / 1000} s; stop it, or choose another port`,
  );
}

/** Undefined when somebody else has the claim. */
async function tryClaim(port: number): Promise<(() => Promise<void>) | undefined> {
  const server = createServer((socket) => socket.destroy());
  const claimed = await new Promise<boolean>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ path: `\0usher/starting/${port}`, exclusive: true }, () => resolve(true));
  });
  if (!claimed) return undefined;
  return () => new Promise<void>((resolve) => server.close(() => resolve()));
}
