import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Clock, ClockReading } from '@usher/ports';

/** A backend as it is asked. */
export interface KeepAliveQuestion {
  readonly url: URL;
  readonly method: 'GET' | 'HEAD';
  /** Of its pool, where the URL is one of https. */
  readonly tls: https.RequestOptions;
  /** For how long an unused connection should be kept. */
  readonly idleMs: number;
  readonly timeoutMs: number;
}

export interface KeepAliveAnswer {
  /**
   * `closed`: it ends a connection with its answer. A number: after so many milliseconds without a request, by what it says or
   * did. `kept`: not within `idleMs`.
   */
  readonly keeps: 'closed' | 'kept' | number;
  /** By its Date, which counts seconds. */
  readonly clock: ClockReading | undefined;
}

/** Sends one request, then leaves the connection alone to see for how long it is kept. Rejects when no answer comes. */
export async function askKeepAlive(question: KeepAliveQuestion, clock: Clock): Promise<KeepAliveAnswer> {
  const { url, method, tls, idleMs, timeoutMs } = question;
  const client = url.protocol === 'https:' ? https : http;
  const agent = new client.Agent({ keepAlive: true, maxSockets: 1 });
  const headers = { 'user-agent': 'usher-doctor', accept: '*/*' };
  const askedMs = clock.now();
  try {
    const request = client.request(url, { ...tls, agent, method, headers });
    const { socket, response } = await answerTo(request, timeoutMs);
    const answeredMs = clock.now();
    const date = Date.parse(response.headers.date ?? '');
    const reading = Number.isNaN(date) ? undefined : { askedMs, answeredMs, theirMs: date };
    return { keeps: await keptFor(response, socket, { idleMs, clock }), clock: reading };
  } finally {
    agent.destroy();
  }
}

interface Answer {
  readonly response: http.IncomingMessage;
  readonly socket: Socket;
}

async function answerTo(request: http.ClientRequest, timeoutMs: number): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  request.setTimeout(timeoutMs, () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
  request.on('error', reject);
  request.on('response', (response) => {
    const { socket } = response;
    request.setTimeout(0);
    response.on('error', reject);
    response.on('end', () => resolve({ response, socket }));
    response.resume();
  });
  request.end();
  return await promise;
}

async function keptFor(
  { headers, httpVersion }: http.IncomingMessage,
  socket: Socket,
  { idleMs, clock }: { readonly idleMs: number; readonly clock: Clock },
): Promise<KeepAliveAnswer['keeps']> {
  const says = (headers.connection ?? '').toLowerCase();
  if (says.includes('close') || (httpVersion === '1.0' && !says.includes('keep-alive'))) return 'closed';
  const [, seconds] = /timeout=(\d+)/.exec(String(headers['keep-alive'] ?? '')) ?? [];
  if (seconds !== undefined) return Number(seconds) * 1000;
  const sinceMs = clock.now();
  const { promise, resolve } = Promise.withResolvers<'kept' | number>();
  const timer = clock.after(idleMs, () => resolve('kept'));
  const closed = () => resolve(clock.now() - sinceMs);
  if (socket.destroyed) closed();
  socket.once('close', closed);
  const kept = await promise;
  timer.cancel();
  return kept;
}
