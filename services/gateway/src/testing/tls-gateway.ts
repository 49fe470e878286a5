import type { RequestListener } from 'node:http';
import type { PolicySettings, SharedSettings } from '@usher/domain';
import { type Gateway, startGateway } from '../index.ts';
import { policy, pool } from './fixtures.ts';
import { backendAt, TestFleet } from './fleet.ts';
import { type Backend, startBackend } from './http.ts';
import type { ListenerFiles } from './tls.ts';

export interface TlsGatewayOptions {
  readonly workers?: number;
  readonly http2?: boolean;
  readonly policy?: Partial<PolicySettings>;
  readonly handle?: RequestListener;
}

/** A gateway with one TLS listener and one backend, which answers with `ok` unless told otherwise. */
export class TlsGateway {
  readonly fleet = new TestFleet();
  readonly #files: ListenerFiles;
  #backend: Backend | undefined;
  #gateway: Gateway | undefined;

  private constructor(files: ListenerFiles) {
    this.#files = files;
  }

  static async start(files: ListenerFiles, options: TlsGatewayOptions = {}): Promise<TlsGateway> {
    const started = new TlsGateway(files);
    started.#backend = await startBackend('ok', options.handle);
    const settings: SharedSettings = {
      ...policy(options.policy),
      pools: [pool()],
      backends: [backendAt('b1', started.#backend.url)],
    };
    const { http2 = true } = options;
    const listen = [{ host: '127.0.0.1', port: 0, tls: files.source, http2 }];
    const workers = options.workers ?? 1;
    started.#gateway = await startGateway(started.fleet.context(), { listen, workers }, settings);
    return started;
  }

  get port(): number {
    return this.#gateway?.addresses[0]?.port ?? 0;
  }

  /** Requests that the backend got so far. */
  get seen(): number {
    return this.#backend?.seen.length ?? 0;
  }

  fault(): string | undefined {
    return this.#gateway?.fault();
  }

  async failures(reason: string): Promise<number> {
    return await this.fleet.metrics.sum('usher_tls_handshake_failures_total', { reason });
  }

  /** Finishes what is under way. */
  async stop(): Promise<void> {
    await this.#gateway?.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#backend?.close();
    await this.fleet.close();
    this.#files.remove();
  }
}
