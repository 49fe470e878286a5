import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** The addresses that one Usher process takes. */
export interface Ports {
  readonly traffic: number;
  readonly admin: number;
  readonly metrics: number;
}

export async function freePorts(): Promise<Ports> {
  return { traffic: await freePort(), admin: await freePort(), metrics: await freePort() };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
