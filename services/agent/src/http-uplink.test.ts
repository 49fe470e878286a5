import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { problemOf } from '@usher/domain';
import { backendStats } from '@usher/events';
import type { Service } from '@usher/ports';
import { RecordingLog, SimulatedClock, seededRandom, tempDir } from '@usher/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startAgent } from './index.ts';
import { RecordedMachine } from './testing/machine.ts';

interface Received {
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly atMs: number;
}

let clock: SimulatedClock;
let log: RecordingLog;
let dir: ReturnType<typeof tempDir>;
let machine: RecordedMachine;
let server: Server;
let agent: Service;
let status: number;
const received: Received[] = [];

beforeEach(async () => {
  clock = new SimulatedClock();
  log = new RecordingLog();
  dir = tempDir();
  machine = new RecordedMachine(dir.path, 2);
  received.length = 0;
  status = 204;
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      received.push({
        target: `${request.method} ${request.url}`,
        headers: request.headers,
        body,
        atMs: clock.now(),
      });
      if (status === 0) return;
      response.writeHead(status, { location: '/elsewhere' });
      response.end(status === 404 ? JSON.stringify(problemOf('not_found', 'no web-1 here')) : undefined);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  agent = startAgent({
    id: 'web-1',
    target: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 's3cret' },
    clock,
    random: seededRandom(1),
    log,
    sources: { root: machine.root, nvidiaSmi: machine.nvidiaSmi },
  });
});
afterEach(async () => {
  await agent.stop();
  server.closeAllConnections();
  server.close();
  dir.remove();
});

/** Lets seconds pass until it holds, with time for real I/O in between. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    machine.spend([1, 1]);
    clock.advance(1_000);
    await sleep(5);
  }
}

describe('an agent that reports over HTTP', () => {
  test('posts valid reports to the path of its backend, with its token', async () => {
    await until(() => received.length >= 2);
    const report = received[1]!;
    expect(report.target).toBe('POST /v1/stats/web-1');
    expect(report.headers.authorization).toBe('Bearer s3cret');
    expect(report.headers['content-type']).toBe('application/json');
    expect(backendStats.safeParse(JSON.parse(report.body)).success).toBe(true);
    expect(agent.fault()).toBeUndefined();
  });

  test('tells that the fleet does not know its backend, once, and that it does by now', async () => {
    status = 404;
    await until(() => received.length >= 3);
    expect(agent.fault()).toBe('no web-1 here');
    expect(log.entries.filter((entry) => entry.level === 'warn')).toHaveLength(1);
    status = 204;
    await until(() => agent.fault() === undefined);
    expect(log.entries.at(-1)?.message).toBe('agent: reports get through again');
  });

  test('waits longer from failure to failure, up to a limit', async () => {
    status = 500;
    await until(() => received.length >= 9);
    const gaps = received.slice(1).map((report, i) => report.atMs - received[i]!.atMs);
    expect(gaps[0]).toBeLessThanOrEqual(2_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(31_000);
    expect(Math.min(...gaps.slice(5))).toBeGreaterThanOrEqual(15_000);
  });

  test('does not follow a redirect with its token', async () => {
    status = 307;
    await until(() => agent.fault() !== undefined);
    expect(received.map((report) => report.target)).toEqual(['POST /v1/stats/web-1']);
  });

  test('goes on when nobody listens', async () => {
    server.close();
    server.closeAllConnections();
    await until(() => agent.fault() !== undefined);
    expect(log.entries.some((entry) => entry.message === 'agent: reports do not get through')).toBe(true);
  });

  test('has one request under way at a time, and gives it up when it is stopped', async () => {
    status = 0;
    await until(() => received.length === 1);
    const seen = clock.now();
    await until(() => clock.now() > seen + 20_000);
    expect(received).toHaveLength(1);
    await agent.stop();
    expect(clock.timers).toBe(0);
  });
});
