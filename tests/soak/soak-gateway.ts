import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from '../../libs/testing/src/temp-dir.ts';
import { UsherProcess } from '../support/usher-process.ts';
import { SoakBackend } from './soak-backend.ts';

export interface SoakSetup {
  /** YAML of `timeouts` and `limits`. */
  readonly policy?: string;
  /** The list of listeners in YAML, given the port for traffic. */
  readonly listen?: (trafficPort: number) => string;
  /** Called with the folder of the configuration before the gateway starts. */
  readonly prepare?: (folder: string) => void;
}

/** A gateway with one worker, with a backend behind it, as processes of their own. */
export class SoakGateway {
  readonly usher: UsherProcess;
  readonly backend: SoakBackend;
  readonly folder: string;
  readonly #remove: () => void;

  private constructor(usher: UsherProcess, backend: SoakBackend, folder: string, remove: () => void) {
    this.usher = usher;
    this.backend = backend;
    this.folder = folder;
    this.#remove = remove;
  }

  static async start({ policy = '', listen, prepare }: SoakSetup = {}): Promise<SoakGateway> {
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
    const setup = { directory: folder, config, ...(listen === undefined ? {} : { listen }) };
    const usher = await UsherProcess.start(setup);
    await usher.eligible('web-1');
    return new SoakGateway(usher, backend, folder, () => directory.remove());
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

  async stop(): Promise<void> {
    await this.usher.stop();
    await this.backend.stop();
    this.#remove();
  }
}
