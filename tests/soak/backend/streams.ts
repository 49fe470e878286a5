import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** RFC 6455 section 1.3. */
const HANDSHAKE_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const OPCODE_CLOSE = 0x8;
const HEAD_BYTES = 6;

/** An event stream that counts from 0, one every `every` milliseconds, until the client leaves. */
export function sendEvents(
  _request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  let next = 0;
  const send = (): void => void response.write(`data: ${next++}\n\n`);
  send();
  const timer = setInterval(send, Number(query.get('every')));
  response.on('close', () => clearInterval(timer));
}

/** A WebSocket that sends back what it gets. Frames of more than 125 bytes are for others to try. */
export function echo(request: IncomingMessage, socket: Socket): void {
  const key = request.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1').update(`${key}${HANDSHAKE_GUID}`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
  );
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (let size = sizeOf(rest); size <= rest.length; size = sizeOf(rest)) {
      const reply = answerTo(rest.subarray(0, size));
      rest = rest.subarray(size);
      socket.write(reply);
      if ((reply[0]! & 0xf) === OPCODE_CLOSE) socket.end();
    }
  });
  socket.on('error', () => socket.destroy());
  socket.on('end', () => socket.end());
}

/** Of the masked frame that it begins with. */
function sizeOf(bytes: Buffer): number {
  return bytes.length < 2 ? Infinity : HEAD_BYTES + (bytes[1]! & 0x7f);
}

function answerTo(frame: Buffer): Buffer {
  const reply = Buffer.from([frame[0]!, frame.length - HEAD_BYTES, ...frame.subarray(HEAD_BYTES)]);
  for (let at = 2; at < reply.length; at++) reply[at]! ^= frame[2 + ((at - 2) % 4)]!;
  return reply;
}
