import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

/**
 * Sends wrong tokens to an admin API as fast as they are refused, over a few connections from an address of its own. The
 * arguments: the port, the address, and how many tokens. Tells its parent how often each status came.
 */
const [port = '', localAddress = '', count = ''] = process.argv.slice(2);
const CONNECTIONS = 16;

const statuses: Record<string, number> = {};
let left = Number(count);
let guessing = CONNECTIONS;

for (let each = 0; each < CONNECTIONS; each++) guess();

/** Guesses on one connection, and on the next when that is closed, until there is nothing left to guess. */
function guess(): void {
  const socket = connect({ host: '127.0.0.1', port: Number(port), localAddress });
  let heard = '';
  const ask = (): void => {
    if (left === 0) {
      socket.end();
      return;
    }
    left -= 1;
    const token = randomBytes(32).toString('hex');
    socket.write(`GET /v1/status HTTP/1.1\r\nhost: usher\r\nauthorization: Bearer ${token}\r\n\r\n`);
  };
  socket.setEncoding('latin1').on('connect', ask);
  socket.on('data', (text: string) => {
    heard += text;
    const [, status = '', length = ''] =
      /^HTTP\/1\.1 (\d+)[^]*?\r\ncontent-length: (\d+)\r\n/i.exec(heard) ?? [];
    const end = heard.indexOf('\r\n\r\n') + 4 + Number(length);
    if (status === '' || heard.length < end) return;
    statuses[status] = (statuses[status] ?? 0) + 1;
    const isLast = /\r\nconnection: close\r\n/i.test(heard);
    heard = heard.slice(end);
    if (!isLast) ask();
  });
  socket.on('close', () => {
    if (left > 0) guess();
    else if (--guessing === 0) process.send?.(statuses);
  });
  socket.on('error', (error) => {
    throw error;
  });
}
