import { connect, type Socket } from 'node:net';
import { until } from '../support/wait.ts';

const AT_A_TIME = 50;

/** WebSockets that are open and quiet. */
export interface OpenWebSockets {
  readonly open: number;
  readonly closed: number;
  end(): void;
}

/** Opens so many, and resolves when all of them are. */
export async function openWebSockets(port: number, path: string, count: number): Promise<OpenWebSockets> {
  const sockets = new Set<Socket>();
  let open = 0;
  let closed = 0;
  while (sockets.size < count) {
    const batch = Math.min(AT_A_TIME, count - sockets.size);
    for (let each = 0; each < batch; each++) {
      const socket = connect({ host: '127.0.0.1', port, localAddress: `127.0.2.${1 + (sockets.size % 16)}` });
      sockets.add(socket);
      socket.write(
        `GET ${path} HTTP/1.1\r\nhost: chaos\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
          'sec-websocket-version: 13\r\nsec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n',
      );
      socket.on('data', (chunk) => {
        if (chunk.toString('latin1').startsWith('HTTP/1.1 101 ')) open += 1;
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        open -= 1;
        closed += 1;
      });
    }
    await until('the WebSockets are open', () => open === sockets.size);
  }
  return {
    get open() {
      return open;
    },
    get closed() {
      return closed;
    },
    end() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
