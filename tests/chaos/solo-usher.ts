import path from 'node:path';
import { tempDir } from '@usher/testing';
import { type Setup, UsherProcess } from '../support/usher-process.ts';
import { type BackendSetup, ChaosBackends } from './chaos-backends.ts';
import { type WebSetup, webConfig } from './web-config.ts';

export interface SoloSetup extends WebSetup, BackendSetup, Pick<Setup, 'listen' | 'adminKeys'> {}

/** One Usher process that runs everything, with backends of its own. */
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
    const { through = async (ports) => ports } = setup;
    const directory = tempDir();
    const backends = await ChaosBackends.start(setup.backends ?? 3, setup);
    const ports = await through(backends.ports);
    const config = `logging: { level: warn }\n${webConfig(ports, setup)}`;
    const usher = await UsherProcess.start({
      directory: path.join(directory.path, 'usher'),
      config,
      ...(setup.listen === undefined ? {} : { listen: setup.listen }),
      ...(setup.adminKeys === undefined ? {} : { adminKeys: setup.adminKeys }),
    });
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
