import { isIP } from 'node:net';
import type { UsherConfig } from '@usher/config';
import type { BackendSettings, PoolSettings } from '@usher/domain';
import type { Clock } from '@usher/ports';
import { readBackendTls } from '@usher/runtime';
import { judgeClock } from './clocks.ts';
import { type Finding, findingsAbout } from './finding.ts';
import { askKeepAlive, type KeepAliveAnswer } from './kept-connection.ts';

/** More backends are not asked: they rarely differ. */
const BACKENDS_MAX = 100;
/** A connection may be closed while a request for it is on its way; so much longer a backend should keep it. */
const MARGIN_MS = 500;
/** Longer than this nobody waits for the end of an examination. */
const WAIT_MS_MAX = 15_000;
const DATE_RESOLUTION_MS = 1_000;

const { ok, warning, error } = findingsAbout('backends');

/** Asks each backend once, and leaves the connection alone for as long as Usher would, to see who closes it first. */
export async function lookAtBackends({ shared }: UsherConfig, clock: Clock): Promise<Finding[]> {
  const asked = shared.backends.slice(0, BACKENDS_MAX);
  const pools = new Map(shared.pools.map((pool) => [pool.id, pool]));
  const idleMs = shared.timeouts.backendIdleMs;
  const found = await Promise.all(
    asked.map(async (backend) => {
      const pool = pools.get(backend.pool);
      // A connection that begins with a PROXY header serves one client; those of HTTP/2 are kept by pings.
      if (pool === undefined || pool.proxyProtocol !== 'none' || pool.http2) return [];
      try {
        return judge(backend, await ask(backend, pool, idleMs, clock), idleMs);
      } catch (cause) {
        const remedy = 'start it, or mend its url or the pool’s tls; until then it gets no requests';
        return [warning(`${backend.id} does not answer: ${(cause as Error).message}`, remedy)];
      }
    }),
  );
  const findings = found.flat();
  const left = shared.backends.length - asked.length;
  const rest = left > 0 ? `; ${left} more were not asked` : '';
  if (findings.every(({ level }) => level === 'ok') && asked.length > 0)
    findings.push(
      ok(
        `${asked.length} asked: connections are kept for at least the ${idleMs} ms of timeouts.backend_idle${rest}`,
      ),
    );
  return findings;
}

async function ask(
  backend: BackendSettings,
  { health, tls }: PoolSettings,
  idleMs: number,
  clock: Clock,
): Promise<KeepAliveAnswer> {
  const path = health.type === 'http' ? health.path : '/';
  const url = new URL(path, backend.url);
  const { verify = true, serverName, ...files } = tls ?? {};
  const servername = serverName ?? (isIP(url.hostname) === 0 ? url.hostname : '');
  const material = tls === undefined ? {} : readBackendTls({ verify, ...files });
  const question = {
    url,
    method: health.type === 'http' ? 'GET' : 'HEAD',
    tls: { ...material, rejectUnauthorized: verify, ...(servername === '' ? {} : { servername }) },
    idleMs: Math.min(idleMs + MARGIN_MS, WAIT_MS_MAX),
    timeoutMs: WAIT_MS_MAX,
  } as const;
  return await askKeepAlive(question, clock);
}

function judge({ id }: BackendSettings, { keeps, clock }: KeepAliveAnswer, idleMs: number): Finding[] {
  const findings: Finding[] = [];
  if (keeps === 'closed') {
    const remedy = 'have it keep connections (HTTP keep-alive)';
    findings.push(warning(`${id} closes each connection: every request pays for a new one`, remedy));
  } else if (keeps !== 'kept' && keeps < idleMs + MARGIN_MS) {
    findings.push(
      error(
        `${id} closes unused connections after ${Math.round(keeps)} ms, but Usher keeps them for ${idleMs} ms: requests meet closed connections`,
        `set timeouts.backend_idle below ${Math.max(1, Math.round(keeps) - MARGIN_MS)}ms, or have the backend keep them for longer than ${idleMs + MARGIN_MS} ms`,
      ),
    );
  }
  if (clock !== undefined) {
    const agrees = judgeClock(`backend ${id}`, clock, DATE_RESOLUTION_MS);
    // It matters to who compares logs, and to nothing that Usher does.
    if (agrees.level !== 'ok') findings.push({ ...agrees, level: 'warning' });
  }
  return findings;
}
