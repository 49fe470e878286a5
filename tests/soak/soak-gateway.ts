import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from '../../libs/testing/src/temp-dir.ts';
import { UsherProcess } from '../support/usher-process.ts';
import { until } from '../support/wait.ts';
import { Inspector } from './inspector.ts';
import { SoakBackend } from './soak-backend.ts';

export interface SoakSetup {
  /** YAML of `timeouts` and `limits`. */
  readonly policy?: string;
  /** The list of listeners in YAML, given the port for traffic. */
  readonly listen?: (trafficPort: number) => string;
  /** Lets its garbage be collected when that is asked for. */
  readonly inspected?: boolean;
  /** Called with the folder of the configuration before the gateway starts. */
  readonly prepare?: (folder: string) => void;
}

/** A gateway with one worker, with a backend behind it, as processes of their own. */
export class SoakGateway {
  readonly usher: UsherProcess;
  readonly backend: SoakBackend;
  readonly folder: string;
  readonly #remove: () => void;
  #inspector: Inspector | undefined;

  private constructor(usher: UsherProcess, backend: SoakBackend, folder: string, remove: () => void) {
    this.usher = usher;
    this.backend = backend;
    this.folder = folder;
    this.#remove = remove;
  }

  static async start({
    policy = '',
    listen,
    prepare,
    inspected = false,
  }: SoakSetup = {}): Promise<SoakGateway> {
    const directory = tempDir();
    const folder = path.join(directory.path, 'gateway');
    mkdirSync(folder);
    prepare?.(folder);
    const backend = await SoakBackend.start(directory.path);
    const config = `workers: 1
logging: { level: warn }
${policy}
pools:
  web: { backends: [{ id: web-1, url: "http://127.0.0.1:${backend.port}" }] }
routes:
  - { path: "/plugin/*", pool: web, plugins: [{ name: gzip }] }
  - { path: "/*", pool: web }
`;
    const setup = { directory: folder, config, nodeOptions: '--inspect-port=127.0.0.1:0' };
    const usher = await UsherProcess.start(listen === undefined ? setup : { ...setup, listen });
    await usher.eligible('web-1');
    const gateway = new SoakGateway(usher, backend, folder, () => directory.remove());
    if (inspected) await gateway.#inspect();
    return gateway;
  }

  get port(): number {
    return this.usher.ports.traffic;
  }

  get pid(): number {
    return this.usher.pid;
  }

  /** The sum of a metric's samples that have all these labels. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.usher.ports.metrics}/metrics`);
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return (await response.text())
      .split('\n')
      .filter((line) => /^\w+/.exec(line)?.[0] === name && wanted.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  /** Connections that went to the plugin lane. */
  async handedOver(): Promise<number> {
    return await this.metric('usher_connections_total', { outcome: 'handed_over' });
  }

  /** Collects all garbage, so that what is left is in use; answers with how much of the heaps that is, in bytes. */
  async collectGarbage(): Promise<number> {
    if (this.#inspector === undefined) throw new Error('the gateway is not inspected');
    return await this.#inspector.collectGarbage();
  }

  async #inspect(): Promise<void> {
    process.kill(this.pid, 'SIGUSR1');
    const url = await until('the inspector listens', () => /ws:\/\/\S+/.exec(this.usher.output)?.[0]);
    this.#inspector = await Inspector.connect(url);
  }

  async stop(): Promise<void> {
    this.#inspector?.close();
    await this.usher.stop();
    await this.backend.stop();
    this.#remove();
  }
}
