import { parseConfigText } from '@usher/config';
import { startGateway } from '@usher/gateway';
import { TestFleet } from '../../services/gateway/src/testing/fleet.ts';
import { type Ask, ask, type Backend, startBackend } from '../../services/gateway/src/testing/http.ts';

/** A gateway in this process that goes by the file of another system, and its backends, which all end together. */
export class ForeignGateway {
  readonly port: number;
  readonly fleet: TestFleet;
  readonly #stop: () => Promise<void>;

  private constructor(fleet: TestFleet, port: number, stop: () => Promise<void>) {
    this.fleet = fleet;
    this.port = port;
    this.#stop = stop;
  }

  /** Starts with the routes, pools and backends that the text stands for, on a free port. */
  static async start(text: string, format: string): Promise<ForeignGateway> {
    const fleet = new TestFleet();
    const { shared } = parseConfigText(text, { format });
    await fleet.configure(shared.backends, shared);
    const listen = [{ host: '127.0.0.1', port: 0 }];
    const gateway = await startGateway(fleet.context(), { listen, workers: 1 }, shared);
    return new ForeignGateway(fleet, gateway.addresses[0]!.port, async () => {
      await gateway.stop();
      await fleet.close();
    });
  }

  async ask(wanted: Ask = {}) {
    return await ask(this.port, wanted);
  }

  /** Who answers each of so many requests, one after the other. */
  async names(count: number, wanted: Ask = {}): Promise<string[]> {
    const names: string[] = [];
    for (let each = 0; each < count; each++) names.push((await this.ask(wanted)).text);
    return names;
  }

  /** How many requests backends have at the moment. */
  async underWay(): Promise<number> {
    return await this.fleet.metrics.sum('usher_backend_in_flight');
  }

  async stop(): Promise<void> {
    await this.#stop();
  }
}

/** What tests start, which all ends together. */
export class Started {
  readonly #closing: (() => Promise<void>)[] = [];

  async backend(...parameters: Parameters<typeof startBackend>): Promise<Backend> {
    const backend = await startBackend(...parameters);
    this.#closing.push(() => backend.close());
    return backend;
  }

  async gateway(text: string, format: string): Promise<ForeignGateway> {
    const gateway = await ForeignGateway.start(text, format);
    this.#closing.push(() => gateway.stop());
    return gateway;
  }

  async end(): Promise<void> {
    for (const close of this.#closing.splice(0).toReversed()) await close();
  }
}
