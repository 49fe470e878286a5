import { get } from 'node:http';
import { type Ending, Line } from './line.ts';

const CONNECTIONS_MAX = 200;
const CHECK_MS = 250;
const CHECK_LIMIT_MS = 500;

/** One gateway as its client sees it: the connections to it, and whether it is worth asking. */
export class GatewayLineUp {
  readonly #port: number;
  readonly #healthPort: number;
  readonly #idle: Line[] = [];
  #lines = 0;
  /** It failed lately, and its health has not been found good since. */
  out = false;
  #checking: NodeJS.Timeout | undefined;

  constructor(port: number, healthPort: number) {
    this.#port = port;
    this.#healthPort = healthPort;
  }

  /** Undefined when it has too many under way already. */
  get free(): boolean {
    return !this.out && (this.#idle.length > 0 || this.#lines < CONNECTIONS_MAX);
  }

  async ask(request: string, limitMs: number): Promise<Ending> {
    const line = this.#take();
    const ending = await line.ask(request, limitMs);
    if (typeof ending === 'number' && line.open) this.#idle.push(line);
    else if (typeof ending !== 'number') this.#leave();
    return ending;
  }

  close(): void {
    clearInterval(this.#checking);
    for (const line of this.#idle.splice(0)) line.close();
  }

  #take(): Line {
    for (let line = this.#idle.pop(); line !== undefined; line = this.#idle.pop()) {
      if (line.open) return line;
    }
    const line = new Line(this.#port);
    this.#lines += 1;
    line.onClose(() => {
      this.#lines -= 1;
      const at = this.#idle.indexOf(line);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    return line;
  }

  /** As whoever stands before gateways does: asks no more until its health is good again. */
  #leave(): void {
    if (this.out) return;
    this.out = true;
    for (const line of this.#idle.splice(0)) line.close();
    this.#checking = setInterval(() => this.#check(), CHECK_MS);
  }

  #check(): void {
    const options = { host: '127.0.0.1', port: this.#healthPort, path: '/health/ready', agent: false };
    const sent = get({ ...options, timeout: CHECK_LIMIT_MS }, (response) => {
      response.resume();
      if (response.statusCode !== 200) return;
      clearInterval(this.#checking);
      this.out = false;
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => {});
  }
}
