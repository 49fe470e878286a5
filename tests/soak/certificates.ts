import { renameSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { makeCertificate } from '../../libs/testing/src/certificate.ts';
import { until } from '../support/wait.ts';
import type { SoakOptions } from './main.ts';
import type { Report } from './report.ts';
import { SoakGateway } from './soak-gateway.ts';
import { EchoClient } from './stream-clients.ts';

const RENEWALS = 40;
const BETWEEN_MS = 250;
const CLIENTS = 4;
const WEBSOCKETS = 100;
const ECHO_EVERY_MS = 1000;

/** Certificates that change on disk, by being replaced and by being written over, under load over new and kept connections. */
export async function soak(report: Report, { lanes }: SoakOptions): Promise<void> {
  for (const lane of lanes) {
    const gateway = await SoakGateway.start({
      listen: (port) =>
        `[{ address: "127.0.0.1:${port}", tls: { certificates: [{ cert: a.pem, key: a.key }] } }]`,
      prepare: (folder) => renew(folder, 0),
    });
    const { port } = gateway;
    const secured = () => connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const sockets = Array.from({ length: WEBSOCKETS }, () => new EchoClient(port, lane, secured()));
    const ticking = setInterval(() => {
      for (const socket of sockets) socket.tick();
    }, ECHO_EVERY_MS);
    const load = new Load(port, `/${lane}/small`);
    let served = 0;
    for (let renewal = 1; renewal <= RENEWALS; renewal++) {
      renew(gateway.folder, renewal);
      await until('the new certificate is served', async () => (await nameServed(port)) === nameOf(renewal));
      served += 1;
      await sleep(BETWEEN_MS);
    }
    await load.stop();
    clearInterval(ticking);
    report.add(`${lane}: certificates served in turn`, served, '', { min: RENEWALS });
    report.add(`${lane}: requests over kept connections`, load.answered.kept, '', { min: 1 });
    report.add(`${lane}: requests over new connections`, load.answered.fresh, '', { min: 1 });
    report.add(`${lane}: failed requests`, load.failures.length, '', { max: 0 });
    for (const failure of new Set(load.failures)) console.log(`  ${failure}`);
    report.add(
      `${lane}: WebSockets closed or wrong`,
      sockets.filter(({ fault }) => fault !== undefined).length,
      '',
      {
        max: 0,
      },
    );
    await Promise.all(sockets.map((socket) => socket.leave('orderly')));
    await gateway.stop();
  }
}

const nameOf = (renewal: number): string => `renewal-${renewal}`;

/** Every second time whole new files take the place of the old ones, else the old ones are written over. */
function renew(folder: string, renewal: number): void {
  const { cert, key } = makeCertificate({ commonName: nameOf(renewal) });
  for (const [name, content] of [
    ['a.key', key],
    ['a.pem', cert],
  ] as const) {
    const file = path.join(folder, name);
    if (renewal % 2 === 0) writeFileSync(file, content);
    else {
      writeFileSync(`${file}.new`, content);
      renameSync(`${file}.new`, file);
    }
  }
}

/** The common name of the certificate that a new client is shown. */
function nameServed(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      resolve(Array.isArray(CN) ? CN[0] : CN);
    });
    socket.on('error', () => resolve(undefined));
  });
}

/** Clients that ask one request after the other until they are stopped. */
class Load {
  readonly answered = { kept: 0, fresh: 0 };
  readonly failures: string[] = [];
  readonly #work: readonly Promise<void>[];
  #stopped = false;

  constructor(port: number, target: string) {
    this.#work = Array.from({ length: CLIENTS }, (_, place) =>
      this.#client(port, target, place % 2 === 0 ? 'kept' : 'fresh'),
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#work);
  }

  async #client(port: number, target: string, kind: keyof Load['answered']): Promise<void> {
    const agent = new Agent({ keepAlive: kind === 'kept', maxSockets: 1, rejectUnauthorized: false });
    while (!this.#stopped) {
      const failure = await ask({ host: '127.0.0.1', port, path: target, agent });
      if (failure === undefined) this.answered[kind] += 1;
      else this.failures.push(`${kind}: ${failure}`);
    }
    agent.destroy();
  }
}

/** Undefined when the answer is 200, else what is wrong. */
function ask(options: {
  host: string;
  port: number;
  path: string;
  agent: Agent;
}): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(options, (response) => {
      response.on('error', ({ message }) => resolve(message));
      response.on('end', () => resolve(response.statusCode === 200 ? undefined : `${response.statusCode}`));
      response.resume();
    });
    request.on('error', ({ message }) => resolve(message));
  });
}
