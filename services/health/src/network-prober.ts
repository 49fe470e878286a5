import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { checkGrpc } from './grpc-health.ts';
import type { ProbeTarget } from './probe-plan.ts';
import type { ProbeResult, Prober } from './prober.ts';

/** More of a health page than this is not read. */
const BODY_BYTES_MAX = 64 * 1024;
const CAUSE_LENGTH_MAX = 200;

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name not resolved',
};

type Settle = (outcome: 'ok' | { readonly cause: string }) => void;

/** Probes over real sockets: a new connection each time, so that a probe proves that connections are accepted. */
export const networkProber: Prober = {
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
        attempt.abort();
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
      else ask(target, attempt.signal, settle);
    }),
};

function ask(target: ProbeTarget, signal: AbortSignal, settle: Settle): void {
  try {
    if (target.type === 'tcp') probeTcp(target, signal, settle);
    else if (target.type === 'grpc') probeGrpc(target, signal, settle);
    else probeHttp(target, signal, settle);
  } catch (error) {
    // Node refuses to send some paths at all.
    settle({ cause: causeOf(error as Error) });
  }
}

/** Starts of connections by which a sender says that it speaks for itself, in both versions of the PROXY protocol. */
const OWN_BEHALF = {
  v1: Buffer.from('PROXY UNKNOWN\r\n'),
  v2: Buffer.from('\r\n\r\n\0\r\nQUIT\n\x20\0\0\0', 'latin1'),
};

function open({ host, port, proxyProtocol }: ProbeTarget, signal: AbortSignal): Socket {
  const socket = connect({ host, port, signal });
  if (proxyProtocol !== undefined) socket.write(OWN_BEHALF[proxyProtocol]);
  return socket;
}

/** Succeeds when the connection is accepted. */
function probeTcp(target: ProbeTarget & { type: 'tcp' }, signal: AbortSignal, settle: Settle): void {
  const socket = open(target, signal);
  socket.once('connect', () => settle('ok'));
  socket.on('error', (error) => settle({ cause: causeOf(error) }));
}

/** Succeeds when the whole answer arrived, or as much of it as is read, with a status that is expected. Follows no redirect. */
function probeHttp(target: ProbeTarget & { type: 'http' }, signal: AbortSignal, settle: Settle): void {
  const { path, authority, expectStatus } = target;
  const headers = { host: authority, 'user-agent': 'usher-health', accept: '*/*' };
  const call = request({ path, headers, createConnection: () => open(target, signal), signal });
  call.on('error', (error) => settle({ cause: causeOf(error) }));
  let answered = false;
  call.on('response', (response) => {
    answered = true;
    const status = response.statusCode ?? 0;
    if (!expectStatus.includes(status)) {
      settle({ cause: `status ${status}, expected ${expectStatus.join(' or ')}` });
      return;
    }
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) settle('ok');
    });
    response.on('end', () => settle('ok'));
    // That it was cut off is settled when the call closes.
    response.on('error', () => {});
  });
  call.on('close', () => settle({ cause: answered ? 'the answer was cut off' : 'closed without an answer' }));
  call.end();
}

/** Succeeds when the service says that it serves (grpc.health.v1). */
function probeGrpc(target: ProbeTarget & { type: 'grpc' }, signal: AbortSignal, settle: Settle): void {
  const socket = open(target, signal);
  socket.on('error', (error) => settle({ cause: causeOf(error) }));
  checkGrpc(socket, target, (cause) => settle(cause === undefined ? 'ok' : { cause }));
}

function causeOf(error: NodeJS.ErrnoException): string {
  const code = error.code ?? '';
  if (code.startsWith('HPE_')) return 'the answer is not valid HTTP';
  return CAUSES[code] ?? error.message;
}
