import { connect } from 'node:http2';
import type { Socket } from 'node:net';

/** A frame of gRPC: a byte that says whether it is compressed, and four of length. */
const FRAME_HEAD_BYTES = 5;
/** Far more than an answer of grpc.health.v1 has. */
const ANSWER_BYTES_MAX = 1024;
const PATH = '/grpc.health.v1.Health/Check';
/** Field 1 as a string, and field 1 as a number (Protocol Buffers, wire format). */
const TAG_STRING = 0x0a;
const TAG_NUMBER = 0x08;
const SERVING = 1;
const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

export interface GrpcCheck {
  /** Value of `:authority`. */
  readonly authority: string;
  /** Empty: the server as a whole. */
  readonly service: string;
}

/** Over a connection on which this is spoken. */
interface GrpcCall extends GrpcCheck {
  readonly scheme: 'http' | 'https';
}

/** Asks a server over `socket` for its health. `settle` may be called more than once; the first time counts. */
export function checkGrpc(
  socket: Socket,
  { authority, service, scheme }: GrpcCall,
  settle: (cause: string | undefined) => void,
): void {
  const session = connect(`${scheme}://${authority}`, { createConnection: () => socket });
  socket.once('close', () => session.destroy());
  session.on('error', () => settle('the answer is not valid HTTP/2'));
  const call = session.request({
    ':method': 'POST',
    ':path': PATH,
    'content-type': 'application/grpc',
    'user-agent': 'usher-health',
    te: 'trailers',
  });
  let answer = Buffer.alloc(0);
  let status: string | undefined;
  const note = (fields: NodeJS.Dict<string | string[]>): void => {
    const given = fields['grpc-status'];
    if (given !== undefined) status = String(given);
  };
  call.on('response', (headers) => {
    if (headers[':status'] === 200) note(headers);
    else settle(`status ${headers[':status']}, expected 200`);
  });
  call.on('trailers', note);
  call.on('data', (part: Buffer) => {
    answer = Buffer.concat([answer, part]);
    if (answer.length > ANSWER_BYTES_MAX) settle('the answer is too long');
  });
  call.on('error', () => {});
  call.on('close', () => settle(verdict(status, answer)));
  call.end(encodeRequest(service));
}

function verdict(status: string | undefined, answer: Buffer): string | undefined {
  if (status === undefined) return 'closed without an answer';
  if (status !== '0') return `grpc-status ${status}, expected 0`;
  const serving = decodeResponse(answer);
  if (serving === SERVING) return undefined;
  return serving === undefined
    ? 'the answer is not valid'
    : `the service is ${STATUSES[serving] ?? `in state ${serving}`}`;
}

/** HealthCheckRequest: one string. */
function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message =
    name.length === 0 ? name : Buffer.concat([Buffer.from([TAG_STRING, ...varint(name.length)]), name]);
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** HealthCheckResponse: one enumeration, left out when it is 0; undefined when the bytes are something else. */
function decodeResponse(frame: Buffer): number | undefined {
  if (frame.length < FRAME_HEAD_BYTES || frame[0] !== 0) return undefined;
  const message = frame.subarray(FRAME_HEAD_BYTES);
  if (message.length !== frame.readUInt32BE(1)) return undefined;
  if (message.length === 0) return 0;
  return message.length === 2 && message[0] === TAG_NUMBER && message[1]! < 0x80 ? message[1] : undefined;
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
