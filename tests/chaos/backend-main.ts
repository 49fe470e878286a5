import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Backends in a process of their own: as many as the first argument says, each answering with its place. The second is for
 * how many milliseconds they keep connections that are idle.
 */
const [count = '1', keepAliveMs = '120000'] = process.argv.slice(2);
const ports: number[] = [];
for (let place = 0; place < Number(count); place++) {
  const server = createServer((request, response) => {
    request.resume();
    response.end(String(place));
  });
  server.keepAliveTimeout = Number(keepAliveMs);
  // Node itself adds a second to what it announces.
  server.keepAliveTimeoutBuffer = 0;
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  ports.push((server.address() as AddressInfo).port);
}
console.log(`listening on ${ports.join(' ')}`);
