import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

/** What the client is told, as JSON in its one argument. */
export interface PacedLoad {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  /** 0 = as many as are answered: every connection sends its next request at once. */
  readonly perSecond: number;
  readonly seconds: number;
}

/** What it prints, as JSON. */
export interface Latencies {
  readonly requests: number;
  /** From the time at which a request was due to the last byte of its response. */
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  /** By how much requests left late, for whatever reason; it is part of the latencies. */
  readonly lateP99Us: number;
  /** CPU time of this process in relation to the time that passed. */
  readonly ownCores: number;
  /** Responses other than 200, lost connections and requests without an answer. */
  readonly errors: number;
}

/** Requests that are due between two ticks leave together at the second. */
const TICK_US = 500;
/** Not counted: connections are opened and caches filled. */
const WARM_UP_S = 1;
/** For answers that are late. */
const GRACE_MS = 2000;
const READ_BYTES = 64 * 1024;

/** One keep-alive connection with at most one request on it. */
class Connection {
  readonly socket: Socket;
  private text = '';
  private dueMs = 0;
  private readonly client: PacedClient;

  constructor(client: PacedClient, port: number, buffer: Buffer) {
    this.client = client;
    this.socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer,
        callback: (length, bytes) => this.onRead((bytes as Buffer).toString('latin1', 0, length)),
      },
    });
    this.socket.on('error', () => this.client.fail());
    this.socket.on('end', () => this.client.fail());
  }

  send(request: string, dueMs: number): void {
    this.dueMs = dueMs;
    this.socket.write(request, 'latin1');
  }

  private onRead(text: string): boolean {
    const whole = this.text === '' ? text : this.text + text;
    const headEnd = whole.indexOf('\r\n\r\n');
    const length = headEnd < 0 ? null : /\r\ncontent-length: *(\d+)/i.exec(whole);
    const complete = length !== null && whole.length >= headEnd + 4 + Number(length[1]);
    this.text = complete ? '' : whole;
    if (complete) this.client.answered(this, whole.startsWith('HTTP/1.1 200'), this.dueMs);
    return true;
  }
}

/**
 * Sends requests at a constant rate, whether or not the earlier ones are answered: a request for which no connection is
 * free waits, and the time that it waits is part of its latency. So a stall counts for every request that was due while
 * it lasted, not only for those in flight.
 */
class PacedClient {
  private readonly request: string;
  private readonly load: PacedLoad;
  private readonly free: Connection[] = [];
  /** When the requests that wait for a connection were due. */
  private readonly waiting: number[] = [];
  private readonly latenciesUs: number[] = [];
  private readonly lateUs: number[] = [];
  private sent = 0;
  private errors = 0;
  private warmUps = 0;
  private startMs = 0;
  private endMs = 0;

  constructor(load: PacedLoad) {
    this.load = load;
    const headers = Object.entries(load.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.request = `GET ${load.path} HTTP/1.1\r\nhost: 127.0.0.1:${load.port}\r\n${headers.join('')}\r\n`;
  }

  async run(): Promise<Latencies> {
    const { port, connections, perSecond, seconds } = this.load;
    const buffer = Buffer.alloc(READ_BYTES);
    for (let index = 0; index < connections; index++) {
      const connection = new Connection(this, port, buffer);
      await once(connection.socket, 'connect');
      this.free.push(connection);
    }
    const ticker = new Worker(fileURLToPath(new URL('ticker.ts', import.meta.url)), { workerData: TICK_US });
    await once(ticker, 'message');
    const cpuBefore = process.cpuUsage();
    this.startMs = performance.now();
    this.endMs = this.startMs + (seconds + WARM_UP_S) * 1000;
    if (perSecond === 0) for (const connection of this.free.splice(0)) this.send(connection, this.startMs);
    await new Promise<void>((resolve) => {
      ticker.on('message', () => {
        if (performance.now() >= this.endMs) resolve();
        else this.sendDue();
      });
    });
    const used = process.cpuUsage(cpuBefore);
    const passedUs = (performance.now() - this.startMs) * 1000;
    await ticker.terminate();
    const giveUpMs = performance.now() + GRACE_MS;
    const missing = () => this.sent + this.waiting.length - this.warmUps - this.latenciesUs.length;
    while (missing() > 0 && performance.now() < giveUpMs) await new Promise((next) => setTimeout(next, 10));
    const [p50Us, p99Us, p999Us] = percentiles(this.latenciesUs, [0.5, 0.99, 0.999]);
    const [lateP99Us] = percentiles(this.lateUs, [0.99]);
    const ownCores = (used.user + used.system) / passedUs;
    const errors = this.errors + Math.max(0, missing());
    return {
      requests: this.latenciesUs.length,
      p50Us,
      p99Us,
      p999Us,
      lateP99Us,
      ownCores,
      errors,
    } as Latencies;
  }

  answered(connection: Connection, ok: boolean, dueMs: number): void {
    const nowMs = performance.now();
    if (!ok) this.errors += 1;
    if (dueMs >= this.startMs + WARM_UP_S * 1000) this.latenciesUs.push((nowMs - dueMs) * 1000);
    else this.warmUps += 1;
    const next = this.load.perSecond === 0 && nowMs < this.endMs ? nowMs : this.waiting.shift();
    if (next === undefined) this.free.push(connection);
    else this.send(connection, next);
  }

  fail(): void {
    this.errors += 1;
  }

  /** Sends what has become due since the last call. */
  private sendDue(): void {
    const { perSecond } = this.load;
    const tick = perSecond === 0 ? 0 : Math.floor(((performance.now() - this.startMs) * 1000) / TICK_US);
    for (;;) {
      const index = this.sent + this.waiting.length;
      // The schedule is one of ticks: each request is due at the first tick after its place in the even distribution.
      const dueTick = Math.ceil((index * 1e6) / perSecond / TICK_US);
      if (dueTick > tick) return;
      const dueMs = this.startMs + (dueTick * TICK_US) / 1000;
      const connection = this.free.shift();
      if (connection === undefined) this.waiting.push(dueMs);
      else this.send(connection, dueMs);
    }
  }

  private send(connection: Connection, dueMs: number): void {
    this.sent += 1;
    this.lateUs.push((performance.now() - dueMs) * 1000);
    connection.send(this.request, dueMs);
  }
}

function percentiles(values: readonly number[], shares: readonly number[]): number[] {
  const sorted = Float64Array.from(values).toSorted();
  return shares.map(
    (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN,
  );
}

if (process.argv[2] !== undefined) {
  const latencies = await new PacedClient(JSON.parse(process.argv[2]) as PacedLoad).run();
  console.log(JSON.stringify(latencies));
  process.exit();
}
