import { Agent, get } from 'node:http';

/** What a client saw. */
export interface Tally {
  /** Requests with an answer 200. */
  ok: number;
  /** Requests without an answer, or with another one; the text says what came. */
  readonly failures: string[];
  /** How often each body came. */
  readonly bodies: Map<string, number>;
}

export interface LoadOptions {
  readonly connections: number;
  /** Ends by itself after so many requests; without it, when it is stopped. */
  readonly requests?: number;
}

/** Requests over keep-alive connections, each sending its next one when the last was answered. */
export class Load {
  readonly tally: Tally = { ok: 0, failures: [], bodies: new Map() };
  readonly done: Promise<Tally>;
  #left: number;

  constructor(urls: readonly string[], { connections, requests = Infinity }: LoadOptions) {
    this.#left = requests;
    const clients = urls.flatMap((url) => Array.from({ length: connections }, () => this.#client(url)));
    this.done = Promise.all(clients).then(() => this.tally);
  }

  async stop(): Promise<Tally> {
    this.#left = 0;
    return await this.done;
  }

  async #client(url: string): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (this.#left > 0) {
      this.#left -= 1;
      const { status, body } = await request(url, agent);
      if (status === 200) this.tally.ok += 1;
      else this.tally.failures.push(`${status} ${body}`);
      this.tally.bodies.set(body, (this.tally.bodies.get(body) ?? 0) + 1);
    }
    agent.destroy();
  }
}

/** Sends requests one after another over one connection and gives back their bodies. */
export async function bodies(url: string, count: number): Promise<readonly string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const seen: string[] = [];
  while (seen.length < count) seen.push((await request(url, agent)).body);
  agent.destroy();
  return seen;
}

/** Status 0 and the message where no answer came. */
function request(url: string, agent: Agent): Promise<{ status: number; body: string }> {
  return new Promise((resolve) => {
    const sent = get(url, { agent }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('error', (error) => resolve({ status: 0, body: error.message }));
    });
    sent.on('error', (error) => resolve({ status: 0, body: error.message }));
  });
}
