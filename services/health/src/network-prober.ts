import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { connect as connectTls } from 'node:tls';
import { guardedLookup, targetsOf } from '@usher/runtime';
import { checkGrpc } from './grpc-health.ts';
import { probeHttp2 } from './http2-probe.ts';
import { judgeAnswer, type Settle } from './probe-answer.ts';
import type { ProbeTarget } from './probe-plan.ts';
import { ProbeTls } from './probe-tls.ts';
import type { ProbeResult, Prober } from './prober.ts';

const CAUSE_LENGTH_MAX = 200;

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name not resolved',
};

/** Makes probes over real sockets: a new connection each time, so that a probe proves that connections are accepted. */
export function createNetworkProber(): Prober {
  const tls = new ProbeTls();
  return {
    probe: (target, timeoutMs, signal) =>
      new Promise<ProbeResult>((resolve) => {
        const startedMs = performance.now();
        const attempt = new AbortController();
        let settled = false;
        const finish = (result: ProbeResult) => {
          if (settled) return;
          settled = true;
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
          // Not within what its connection calls: Node crashes when a connection below TLS ends while TLS is at work.
          setImmediate(() => attempt.abort());
          resolve(result);
        };
        const onAbort = () => finish({ ok: false, timedOut: false, cause: 'stopped' });
        const timer = setTimeout(() => {
          finish({ ok: false, timedOut: true, cause: `no answer within ${timeoutMs} ms` });
        }, timeoutMs);
        signal.addEventListener('abort', onAbort, { once: true });
        const settle: Settle = (outcome) => {
          if (outcome === 'ok') finish({ ok: true, latencyMs: performance.now() - startedMs });
          else finish({ ok: false, timedOut: false, cause: outcome.cause.slice(0, CAUSE_LENGTH_MAX) });
        };
        if (signal.aborted) onAbort();
        else ask(target, { tls, signal: attempt.signal }, settle);
      }),
  };
}

/** What an attempt goes by. */
interface Attempt {
  readonly tls: ProbeTls;
  readonly signal: AbortSignal;
}

function ask(target: ProbeTarget, attempt: Attempt, settle: Settle): void {
  try {
    if (target.type === 'tcp') probeTcp(target, attempt, settle);
    else if (target.type === 'grpc') probeGrpc(target, attempt, settle);
    else probeHttp(target, attempt, settle);
  } catch (error) {
    // Node refuses to send some paths at all, and files for TLS may not be there.
    settle({ cause: causeOf(error as Error) });
  }
}

/** Starts of connections by which a sender says that it speaks for itself, in both versions of the PROXY protocol. */
const OWN_BEHALF = {
  v1: Buffer.from('PROXY UNKNOWN\r\n'),
  v2: Buffer.from('\r\n\r\n\0\r\nQUIT\n\x20\0\0\0', 'latin1'),
};

function open({ host, port, proxyProtocol, guard }: ProbeTarget, { signal }: Attempt): Socket {
  const guarded = guard === undefined ? {} : { lookup: guardedLookup(targetsOf(guard.targets)) };
  const socket = connect({ host, port, signal, ...guarded });
  if (proxyProtocol !== undefined) socket.write(OWN_BEHALF[proxyProtocol]);
  return socket;
}

/** Opens a connection on which `protocol` is spoken. Throws what keeps TLS from being used. */
function openSecured(
  target: Exclude<ProbeTarget, { type: 'tcp' }>,
  attempt: Attempt,
  protocol: 'http/1.1' | 'h2',
): Socket {
  if (target.tls === undefined) return open(target, attempt);
  const options = attempt.tls.options(target.tls, target.host, performance.now());
  const below = open(target, attempt);
  const socket = connectTls({ ...options, socket: below, ALPNProtocols: [protocol] });
  below.once('error', (error) => socket.destroy(error));
  return socket;
}

/** Succeeds when the connection is accepted. */
function probeTcp(target: ProbeTarget & { type: 'tcp' }, attempt: Attempt, settle: Settle): void {
  const socket = open(target, attempt);
  socket.once('connect', () => settle('ok'));
  socket.on('error', (error) => settle({ cause: causeOf(error) }));
}

/** Succeeds by the answer; follows no redirect. */
function probeHttp(target: ProbeTarget & { type: 'http' }, attempt: Attempt, settle: Settle): void {
  const { path, authority, method, http2 = false } = target;
  const headers = { host: authority, 'user-agent': 'usher-health', accept: '*/*', ...target.headers };
  const socket = openSecured(target, attempt, http2 ? 'h2' : 'http/1.1');
  if (http2) {
    socket.on('error', (error) => settle({ cause: causeOf(error) }));
    probeHttp2(socket, target, headers, settle);
    return;
  }
  const call = request({ path, method, headers, createConnection: () => socket, signal: attempt.signal });
  call.on('error', (error) => settle({ cause: causeOf(error) }));
  let answered = false;
  call.on('response', (response) => {
    answered = true;
    judgeAnswer(response.statusCode ?? 0, response, target, settle);
    // That it was cut off is settled when the call closes.
    response.on('error', () => {});
  });
  call.on('close', () => settle({ cause: answered ? 'the answer was cut off' : 'closed without an answer' }));
  call.end();
}

/** Succeeds when the service says that it serves (grpc.health.v1). */
function probeGrpc(target: ProbeTarget & { type: 'grpc' }, attempt: Attempt, settle: Settle): void {
  const socket = openSecured(target, attempt, 'h2');
  socket.on('error', (error) => settle({ cause: causeOf(error) }));
  const scheme = target.tls === undefined ? 'http' : 'https';
  checkGrpc(socket, { ...target, scheme }, (cause) => settle(cause === undefined ? 'ok' : { cause }));
}

function causeOf(error: NodeJS.ErrnoException): string {
  const code = error.code ?? '';
  if (code.startsWith('HPE_')) return 'the answer is not valid HTTP';
  return CAUSES[code] ?? error.message;
}
