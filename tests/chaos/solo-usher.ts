import path from 'node:path';
import { tempDir } from '@usher/testing';
import { UsherProcess } from '../support/usher-process.ts';
import { ChaosBackends } from './chaos-backends.ts';

export interface SoloSetup {
  readonly backends?: number;
  /** For how long these keep connections that are idle. */
  readonly keepAliveMs?: number;
  /** YAML of the pool `web` but for its backends. */
  readonly pool: string;
  /** More YAML at the root. */
  readonly policy?: string;
  /** In place of the backends' own ports. */
  readonly through?: (ports: readonly number[]) => Promise<readonly number[]>;
}

/** One Usher process that runs everything, with backends of its own. Paths that begin with `/plugin/` take the plugin lane. */
export class SoloUsher {
  readonly usher: UsherProcess;
  readonly backends: ChaosBackends;
  readonly #remove: () => void;

  private constructor(usher: UsherProcess, backends: ChaosBackends, remove: () => void) {
    this.usher = usher;
    this.backends = backends;
    this.#remove = remove;
  }

  static async start(setup: SoloSetup): Promise<SoloUsher> {
    const { pool, policy = '', keepAliveMs, through = async (ports) => ports } = setup;
    const directory = tempDir();
    const backends = await ChaosBackends.start(setup.backends ?? 3, keepAliveMs);
    const ports = await through(backends.ports);
    const declared = ports.map((port, place) => `{ id: b${place}, url: "http://127.0.0.1:${port}" }`);
    const config = `workers: 1
logging: { level: warn }
${policy}
pools:
  web:
    ${pool}
    backends: [${declared.join(', ')}]
routes:
  - { path: "/plugin/*", pool: web, plugins: [{ name: gzip }] }
  - { path: "/*", pool: web }
`;
    const usher = await UsherProcess.start({ directory: path.join(directory.path, 'usher'), config });
    return new SoloUsher(usher, backends, () => directory.remove());
  }

  get port(): number {
    return this.usher.ports.traffic;
  }

  async stop(): Promise<void> {
    await this.usher.kill9();
    await this.backends.stop();
    this.#remove();
  }
}
