import type { Harness } from './harness.ts';
import type { BackendBehaviour } from './raw-backend.ts';
import { type RawSocket, readMessage, statusOf } from './raw-socket.ts';

export const asking = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: any\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n` +
  'Sec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n';
export const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: b\r\n\r\n';
export const GOING_AWAY = '\x88\x02\x03\xe9';
export const GOING_AWAY_MASKED = '\x88\x82\0\0\0\0\x03\xe9';

/** Switches, and leaves the rest to the test. */
export const switching: BackendBehaviour = async (connection, backend) => {
  backend.requests.push(await readMessage(connection));
  connection.send(SWITCH);
};

/** Both ends of a WebSocket through the lane, to the only backend. */
export async function openWebSocket(harness: Harness): Promise<{ client: RawSocket; behind: RawSocket }> {
  const { connections } = harness.backends[0]!;
  const before = connections.length;
  const client = harness.connect({ allowHalfOpen: true });
  client.send(asking('/'));
  const status = statusOf(await readMessage(client, true));
  if (status !== 101) throw new Error(`answered with ${status}`);
  return { client, behind: connections[before]! };
}
