import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer as createRawServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { problemOf } from '@usher/domain';
import { backendStats } from '@usher/events';
import type { Service } from '@usher/ports';
import { makeCertificate } from '@usher/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentRig } from './testing/agent-rig.ts';

const registration = { pool: 'web', url: 'http://10.0.0.1:80', weight: 1 };

let rig: AgentRig;
let server: Server;
const sockets = new Set<Socket>();
beforeEach(() => {
  rig = new AgentRig();
});
afterEach(async () => {
  await rig.end();
  for (const socket of sockets) socket.destroy();
  server.close();
});

/** Starts an agent that reports to this server. */
async function reportTo(other: Server, options: Parameters<AgentRig['start']>[0] = {}): Promise<Service> {
  server = other.on('connection', (socket: Socket) => void sockets.add(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return rig.start({ target: { url: `http://127.0.0.1:${port}`, token: 's3cret' }, ...options });
}

describe('an agent that reports over HTTP', () => {
  interface Received {
    readonly target: string;
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
  }
  let received: Received[];
  let status: (target: string) => number;

  const targets = () => received.map(({ target }) => target);
  const admin = () =>
    createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      request.on('end', () => {
        const target = `${request.method} ${request.url}`;
        received.push({ target, headers: request.headers, body });
        const code = status(target);
        if (code === 0) return;
        response.writeHead(code, { location: '/elsewhere' });
        response.end(code === 404 ? JSON.stringify(problemOf('not_found', 'no web-1 here')) : undefined);
      });
    });
  beforeEach(() => {
    received = [];
    status = () => 204;
  });

  test('posts valid reports to the path of its backend, with its token, on one connection', async () => {
    const agent = await reportTo(admin());
    await rig.until(() => received.length >= 5);
    const report = received[1];
    expect(report?.target).toBe('POST /v1/stats/web-1');
    expect(report?.headers.authorization).toBe('Bearer s3cret');
    expect(report?.headers['content-type']).toBe('application/json');
    expect(backendStats.safeParse(JSON.parse(report?.body ?? '')).success).toBe(true);
    expect(agent.fault()).toBeUndefined();
    expect(sockets.size).toBe(1);
    sockets.clear();
  });

  test('registers first, again when the fleet forgot the backend, and takes it away at the end', async () => {
    const agent = await reportTo(admin(), { registration });
    await rig.until(() => received.length >= 3);
    expect(targets().slice(0, 2)).toEqual(['PUT /v1/agents/web-1', 'POST /v1/stats/web-1']);
    expect(JSON.parse(received[0]?.body ?? '')).toEqual(registration);
    status = (target) => (target.startsWith('POST') ? 404 : 204);
    await rig.until(() => targets().filter((target) => target.startsWith('PUT')).length >= 2);
    status = () => 204;
    await rig.until(() => agent.fault() === undefined);
    await agent.stop();
    expect(targets().at(-1)).toBe('DELETE /v1/agents/web-1');
  });

  test('tells that the fleet does not know its backend, once, and that it does by now', async () => {
    status = () => 404;
    const agent = await reportTo(admin());
    await rig.until(() => received.length >= 3);
    expect(agent.fault()).toBe('no web-1 here');
    expect(rig.log.entries.filter(({ level }) => level === 'warn')).toHaveLength(1);
    status = () => 204;
    await rig.until(() => agent.fault() === undefined);
    expect(rig.log.entries.at(-1)?.message).toBe('agent: reports get through again');
  });

  test('does not follow a redirect with its token', async () => {
    status = () => 307;
    const agent = await reportTo(admin());
    await rig.until(() => agent.fault() !== undefined);
    expect(targets()).toEqual(['POST /v1/stats/web-1']);
  });

  test('goes on when nobody listens', async () => {
    const agent = await reportTo(admin());
    server.close();
    for (const socket of sockets) socket.destroy();
    await rig.until(() => agent.fault() !== undefined);
    expect(rig.log.entries.some(({ message }) => message === 'agent: reports do not get through')).toBe(true);
  });

  test('has one request under way at a time, and gives it up when it is stopped', async () => {
    status = () => 0;
    const agent = await reportTo(admin());
    await rig.until(() => received.length === 1);
    const seenMs = rig.clock.now();
    await rig.until(() => rig.clock.now() > seenMs + 20_000);
    expect(received).toHaveLength(1);
    await agent.stop();
    expect(rig.clock.timers).toBe(0);
  });
});

/** Answers the n-th request with the n-th of these, the last one again and again. */
function answering(...answers: readonly (readonly string[])[]): Server {
  let count = 0;
  return createRawServer((socket) => {
    socket.on('data', () => {
      const pieces = answers[Math.min(count++, answers.length - 1)] ?? [];
      let at = 0;
      const next = (): void => {
        const piece = pieces[at++];
        if (piece === undefined || socket.destroyed) return;
        if (piece === 'END') socket.end();
        else socket.write(piece);
        setTimeout(next, 2);
      };
      next();
    });
    socket.on('error', () => undefined);
  });
}

describe('a server that answers', () => {
  const OK = 'HTTP/1.1 204 No Content\r\n\r\n';

  test.each([
    ['in pieces', ['HTTP/1.1 2', '00 OK\r\nContent-Le', 'ngth: 4\r\n', '\r\n{', '}\r\n']],
    ['with an interim answer before', [`HTTP/1.1 100 Continue\r\n\r\n${OK}`]],
    ['in chunks', ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{', '}\r\n', '0\r\n\r\n']],
    ['and closes', ['HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n', 'END']],
    ['with a length that only says so', ['HTTP/1.1 204 No Content\r\ncontent-length: 7\r\n\r\n']],
  ])('%s is understood, and so is what it answers next', async (_what, pieces) => {
    const agent = await reportTo(answering(pieces, [OK]));
    await rig.until(() => agent.fault() === undefined && rig.clock.now() > Date.UTC(2026, 0, 1, 0, 0, 30));
    expect(rig.log.entries.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test.each([
    ['something else than HTTP', ['SSH-2.0-x\r\n\r\n\r\n'], 'does not speak HTTP/1.1'],
    ['without an end', [`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`], 'too long'],
    ['half', ['HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{', 'END'], 'closed the connection'],
    ['with a failure', ['HTTP/1.1 500 Oh\r\ncontent-length: 2\r\n\r\n{}'], 'answered 500'],
  ])('%s has a fault, and is tried again', async (_what, pieces, fault) => {
    const agent = await reportTo(answering(pieces, pieces, [OK]));
    await rig.until(() => agent.fault() !== undefined);
    expect(agent.fault()).toContain(fault);
    await rig.until(() => agent.fault() === undefined);
  });

  test('with a certificate that nobody vouches for is not told anything', async () => {
    let told = 0;
    const { cert, key } = makeCertificate();
    const secure = createTlsServer({ cert, key }, (socket) => {
      socket.on('data', () => {
        told += 1;
      });
    });
    secure.on('tlsClientError', () => undefined);
    server = secure.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const agent = rig.start({ target: { url: `https://localhost:${port}`, token: 's3cret' } });
    await rig.until(() => agent.fault() !== undefined);
    expect(agent.fault()).toMatch(/certificate/i);
    expect(told).toBe(0);
  });
});
