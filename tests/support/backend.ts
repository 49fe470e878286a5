import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A backend in this process that answers every request with its name. */
export interface Backend {
  readonly name: string;
  readonly url: string;
  stop(): Promise<void>;
}

export async function startBackend(name: string): Promise<Backend> {
  const server = createServer((request, response) => {
    request.resume();
    response.end(name);
  });
  // Longer than any proxy keeps its side, so that no connection closes while a request is on its way.
  server.keepAliveTimeout = 120_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    name,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
