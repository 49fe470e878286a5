import type { Socket } from 'node:net';
import type { ErrorCode, Features } from '@usher/domain';
import type { BackendSlot, Hold, RouteEntry } from '../routing-table.ts';
import { endpointFor } from '../table/endpoints.ts';
import { ConnectError, type ConnectLoss } from '../wire/dialler.ts';
import { withoutQuery } from '../wire/outgoing-request.ts';
import { decideRetry } from '../wire/retry.ts';
import { Attempt, type Placed, retryOn, waitForRoom } from './backends.ts';
import type { LaneTools } from './exchange.ts';
import type { Headers } from './forwarded.ts';

/** How long a tunnel is silent before the kernel asks whether the client still exists. */
const KEEP_ALIVE_DELAY_MS = 30_000;

export interface TunnelOptions {
  readonly entry: RouteEntry;
  readonly features: Features;
  /** Path and query as received. */
  readonly target: string;
  /** For the backend, without those that ask for the upgrade. */
  readonly headers: Headers;
  readonly client: Socket;
  /** What the client has sent already beyond its request. */
  readonly head: Buffer;
  /** Called once with the status that the backend answered with. */
  readonly onStatus: (status: number) => void;
  /** Called instead when no backend could be reached. The client's socket is untouched then. */
  readonly onFailed: (code: ErrorCode) => void;
}

/**
 * Carries a WebSocket that the plugins of its route have let pass. Both sides speak to each other directly: what was
 * negotiated, pings and whatever the backend answers instead of 101 go through unchanged.
 */
export class Tunnel {
  readonly #tools: LaneTools;
  readonly #options: TunnelOptions;
  readonly #tried: BackendSlot[] = [];

  constructor(tools: LaneTools, options: TunnelOptions) {
    this.#tools = tools;
    this.#options = options;
  }

  open(): void {
    const { client, onFailed } = this.#options;
    waitForRoom(this.#placed(), client, {
      onRoom: (slot, reserved) => this.#connect(slot, reserved),
      onNoRoom: onFailed,
    });
  }

  #placed(): Placed {
    const { table, now } = this.#tools;
    const { entry, features } = this.#options;
    return { table, pool: entry.pool, features, tried: this.#tried, now };
  }

  /** Goes on with a backend on which the tunnel was begun. */
  #connect(slot: BackendSlot, reserved: Hold | undefined): void {
    const { table, dialler } = this.#tools;
    const attempt = new Attempt(this.#placed(), slot, reserved);
    this.#tried.push(slot);
    const { connectMs } = table.policy.timeouts;
    const endpoint = endpointFor(slot, { path: withoutQuery(this.#options.target) });
    dialler.connect(endpoint, connectMs, { allowHalfOpen: true }).then(
      (backend) => this.#join(backend, attempt),
      (error: unknown) => {
        const loss = error instanceof ConnectError ? error.loss : 'connect_failed';
        if (attempt.end(loss)) this.#again(loss);
      },
    );
  }

  #again(failure: ConnectLoss): void {
    const { counters } = this.#tools;
    const { entry, client, onFailed } = this.#options;
    if (client.destroyed) return;
    const verdict = decideRetry({
      outcome: failure,
      reached: false,
      stale: false,
      replayable: true,
      idempotent: true,
      attemptsLeft: entry.pool.settings.retry.attempts + 1 - this.#tried.length,
    });
    const onRoom = (slot: BackendSlot, reserved?: Hold): void => {
      counters.retries += 1;
      this.#connect(slot, reserved);
    };
    const guest = { onRoom, onNoRoom: () => onFailed(failure) };
    if (verdict === 'none' || !retryOn(this.#placed(), client, guest)) onFailed(failure);
  }

  #join(backend: Socket, attempt: Attempt): void {
    const { client, head, onStatus } = this.#options;
    if (client.destroyed) {
      attempt.end('client_closed');
      backend.destroy();
      return;
    }
    let status = 0;
    backend.once('data', (chunk: Buffer) => {
      status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(chunk.toString('latin1', 0, 12))?.[1] ?? 502);
      attempt.answered(status);
      onStatus(status);
    });
    // A reset is one way for a connection to end; 'close' follows and says the rest.
    backend.on('error', () => {});
    client.on('error', () => {});
    backend.once('close', () => {
      attempt.end(status === 0 ? 'backend_closed' : status >= 500 ? 'server_error' : 'ok');
      client.destroySoon();
    });
    client.once('close', () => {
      attempt.end(status === 0 ? 'client_closed' : 'ok');
      backend.destroySoon();
    });
    client.setTimeout(this.#tools.table.policy.timeouts.upgradeIdleMs, () => client.destroy());
    client.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
    backend.write(this.#requestHead(), 'latin1');
    if (head.length > 0) backend.write(head);
    client.pipe(backend);
    backend.pipe(client);
  }

  #requestHead(): string {
    const { target, headers } = this.#options;
    const lines = [`GET ${target} HTTP/1.1`, 'connection: upgrade', 'upgrade: websocket'];
    for (const [name, value] of Object.entries(headers)) {
      for (const each of Array.isArray(value) ? value : [value])
        if (each !== undefined) lines.push(`${name}: ${each}`);
    }
    return `${lines.join('\r\n')}\r\n\r\n`;
  }
}
