import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  type InformationEvent,
  request,
} from 'node:http';
import { Duplex } from 'node:stream';
import type { Reading, ReadMessage } from './reading.ts';

/** Far above every input: what is compared is grammar, not limits. */
const MAX_HEADER_BYTES = 1024 * 1024;

/** A connection without a network: what it is said to have read is handed on at once. */
class Pipe extends Duplex {
  override _read(): void {}

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }

  setTimeout(): void {}

  setNoDelay(): void {}

  setKeepAlive(): void {}
}

/** Node's own parser as its HTTP server uses it, in strict mode. */
export class NodeRequestReader {
  private seen: IncomingMessage[] = [];
  private error: Error | undefined;
  private readonly server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    requireHostHeader: false,
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 0,
  });

  constructor() {
    const see = (message: IncomingMessage): void => {
      this.seen.push(message);
    };
    this.server.maxHeadersCount = 0;
    this.server.on('request', see).on('checkContinue', see).on('checkExpectation', see);
    this.server.on('clientError', (error) => {
      this.error = error;
    });
  }

  read(bytes: Buffer): Reading {
    this.seen = [];
    this.error = undefined;
    const pipe = new Pipe();
    this.server.emit('connection', pipe);
    pipe.emit('data', bytes);
    const messages = this.seen.map((message) => readingOf(message, `${message.method} ${message.url}`));
    const reading = { messages, refusal: codeOf(this.error) };
    pipe.emit('close');
    return reading;
  }
}

interface Asked {
  readonly pipe: Pipe;
  readonly request: ClientRequest;
  readonly informational: ReadMessage[];
  response: IncomingMessage | undefined;
  error: Error | undefined;
}

/** Bytes that answer a request with `method`; `ends`: and then the connection does. */
export interface ResponseBytes {
  readonly method: 'GET' | 'HEAD';
  readonly bytes: Buffer;
  readonly ends: boolean;
}

/** Node's own parser as its HTTP client uses it, in strict mode. */
export class NodeResponseReader {
  /** A request reaches its connection in the next turn of the event loop, so many are asked at a time. */
  async readAll(inputs: readonly ResponseBytes[]): Promise<Reading[]> {
    const asked = inputs.map(({ method }) => this.ask(method));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return inputs.map((input, at) => answer(asked[at]!, input));
  }

  private ask(method: string): Asked {
    const pipe = new Pipe();
    const sent = request({
      method,
      createConnection: () => pipe,
      maxHeaderSize: MAX_HEADER_BYTES,
      insecureHTTPParser: false,
    });
    const asked: Asked = { pipe, request: sent, informational: [], response: undefined, error: undefined };
    sent.maxHeadersCount = 0;
    sent.on('information', (information: InformationEvent) => {
      const { statusCode, statusMessage, rawHeaders } = information;
      const start = `${statusCode} ${statusMessage}`;
      asked.informational.push({ start, fields: rawHeaders, payload: '', trailers: [], complete: true });
    });
    sent.on('upgrade', (message) => (asked.response = message));
    sent.on('response', (message) => (asked.response = message));
    sent.on('error', (error) => (asked.error ??= error));
    sent.end();
    return asked;
  }
}

function answer(asked: Asked, { bytes, ends }: ResponseBytes): Reading {
  const { pipe, informational } = asked;
  pipe.emit('data', bytes);
  if (ends) pipe.emit('end');
  const { response, error } = asked;
  const final =
    response === undefined ? [] : [readingOf(response, `${response.statusCode} ${response.statusMessage}`)];
  const reading = { messages: [...informational, ...final], refusal: codeOf(error) };
  pipe.emit('close');
  return reading;
}

function readingOf(message: IncomingMessage, start: string): ReadMessage {
  let payload = '';
  for (let part: unknown = message.read(); Buffer.isBuffer(part); part = message.read()) {
    payload += part.toString('latin1');
  }
  return {
    start,
    fields: message.rawHeaders,
    payload,
    trailers: message.rawTrailers,
    complete: message.complete,
  };
}

function codeOf(error: Error | undefined): string | undefined {
  if (error === undefined) return undefined;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
