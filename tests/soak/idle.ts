import { setTimeout as sleep } from 'node:timers/promises';
import { KeptConnection } from './kept-connection.ts';
import type { Lane } from './lanes.ts';
import type { SoakOptions } from './main.ts';
import { openFilesMax } from './open-files.ts';
import { MemoryPeak, MIB, quietFiles, residentBytes } from './process-figures.ts';
import type { Report } from './report.ts';
import { SoakGateway } from './soak-gateway.ts';

const CONNECTIONS = 10_000;
/** Beside its connections the gateway has a few other files open. */
const FILES_WANTED = CONNECTIONS + 1000;
const AT_A_TIME = 100;
/** Compiles what serves connections. All garbage is collected afterwards, so it makes no room for what is measured. */
const WARM_UP_CONNECTIONS = 3000;
/** An idle process takes a while to see that it is idle; what it then gives back was no cost of the connections. */
const SETTLE_MS = 30_000;
/** Longer than connections to backends are kept. */
const CLOSE_MS = 6_000;

/**
 * What an idle connection costs, in bytes of resident memory. In the plugin lane Node's HTTP server alone takes about
 * 8,700 of them, most of that its parser, which stays with a connection; the bar there holds what is ours beside it.
 */
const BYTES_MAX: Readonly<Record<Lane, number>> = { wire: 8000, plugin: 12_500 };

/** Many connections that each made one request and wait for the next. */
export async function soak(report: Report, { lanes }: SoakOptions): Promise<void> {
  if (openFilesMax() < FILES_WANTED) {
    throw new Error(`${FILES_WANTED} files must be allowed to be open: ulimit -n ${FILES_WANTED}`);
  }
  for (const lane of lanes) {
    const gateway = await SoakGateway.start({ policy: 'timeouts: { idle: 10m }', inspected: true });
    await measure(report, gateway, lane);
    await gateway.stop();
  }
}

async function measure(report: Report, gateway: SoakGateway, lane: Lane): Promise<void> {
  const { pid } = gateway;
  const path = `/${lane}/small`;
  const filesBefore = await quietFiles(pid);
  for (const connection of await open(gateway.port, path, WARM_UP_CONNECTIONS)) connection.close();
  await sleep(CLOSE_MS);
  await gateway.collectGarbage();
  const baseBytes = residentBytes(pid);
  const perConnection = (bytes: number): number => (bytes - baseBytes) / CONNECTIONS;
  const peak = new MemoryPeak(pid);
  const connections = await open(gateway.port, path, CONNECTIONS);
  report.add(`${lane}: RSS before`, baseBytes / MIB, 'MiB');
  report.add(`${lane}: connections open`, await gateway.metric('usher_connections'), '', {
    min: CONNECTIONS,
  });
  await sleep(SETTLE_MS);
  report.add(`${lane}: RSS per idle connection`, perConnection(residentBytes(pid)), 'B', {
    max: BYTES_MAX[lane],
  });
  report.add(`${lane}: most while they were opened`, perConnection(peak.stop()), 'B');
  report.add(`${lane}: answered again afterwards`, await askAll(connections, path), '', { min: CONNECTIONS });
  await gateway.collectGarbage();
  report.add(`${lane}: RSS per connection without garbage`, perConnection(residentBytes(pid)), 'B');
  for (const connection of connections) connection.close();
  await sleep(CLOSE_MS);
  report.add(`${lane}: files left open`, (await quietFiles(pid)) - filesBefore, '', { max: 0 });
}

/** How many of them get an answer. */
async function askAll(connections: readonly KeptConnection[], path: string): Promise<number> {
  let answered = 0;
  for (let from = 0; from < connections.length; from += AT_A_TIME) {
    const some = connections.slice(from, from + AT_A_TIME);
    answered += (await Promise.all(some.map((connection) => connection.ask(path)))).filter(Boolean).length;
  }
  return answered;
}

async function open(port: number, path: string, count: number): Promise<readonly KeptConnection[]> {
  const connections: KeptConnection[] = [];
  while (connections.length < count) {
    const next = Array.from(
      { length: AT_A_TIME },
      (_, place) => new KeptConnection(port, connections.length + place),
    );
    if ((await askAll(next, path)) < next.length) throw new Error(`no answer to ${path}`);
    connections.push(...next);
  }
  return connections;
}
