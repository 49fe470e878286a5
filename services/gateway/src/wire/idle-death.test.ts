import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type Answer, ask, listen, oneConnection } from '../testing/http.ts';
import { Harness } from './testing/harness.ts';

const REQUESTS = 1_200;
const CLIENTS = 6;

/** When a backend gives up a connection that has served some requests, and how. */
type Moment =
  | 'when the next request arrives, by a reset'
  | 'when the next request arrives, in good order'
  | 'when it has read the next request, by a reset'
  | 'right after an answer, in good order'
  | 'right after an answer, by a reset'
  | 'a moment after an answer, in good order'
  | 'a moment after an answer, by a reset';

/** Serves one to three requests on each connection and then drops it at the given moment. */
class Mortal {
  /** How often each request has come, as far as its first line. */
  readonly arrivals = new Map<string, number>();
  dropped = 0;
  private readonly server: Server;
  private readonly moment: Moment;
  private connections = 0;

  constructor(moment: Moment) {
    this.moment = moment;
    this.server = createServer({ allowHalfOpen: true }, (socket) => this.serve(socket));
  }

  start(): Promise<number> {
    return listen(this.server);
  }

  stop(): void {
    this.server.close();
  }

  private serve(socket: Socket): void {
    let left = 1 + (this.connections++ % 3);
    let text = '';
    let dropped = false;
    const drop = (how: 'reset' | 'end'): void => {
      if (!dropped) this.dropped += 1;
      dropped = true;
      if (how === 'reset') socket.resetAndDestroy();
      else socket.end();
    };
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: Buffer) => {
      if (dropped) return;
      text += chunk.toString('latin1');
      if (left === 0 && this.moment === 'when the next request arrives, by a reset') return drop('reset');
      if (left === 0 && this.moment === 'when the next request arrives, in good order') return drop('end');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0 || text.length < end + 4 + bodyLength(text)) return;
      const id = /^\w+ \/(\d+)/.exec(text)?.[1] ?? '';
      text = '';
      this.arrivals.set(id, (this.arrivals.get(id) ?? 0) + 1);
      if (left === 0) return drop('reset');
      left -= 1;
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${id.length}\r\n\r\n${id}`);
      if (left > 0) return;
      const how = this.moment.endsWith('reset') ? 'reset' : 'end';
      if (this.moment.startsWith('right after')) {
        // A reset throws away what was not sent yet; the answer itself must have left.
        if (how === 'end') drop(how);
        else setImmediate(() => drop(how));
      } else if (this.moment.startsWith('a moment after')) {
        setTimeout(() => drop(how), this.connections % 4);
      }
    });
  }
}

function bodyLength(head: string): number {
  return Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
}

let harness: Harness;
let backend: Mortal;

afterEach(async () => {
  await harness.stop();
  backend.stop();
});

it.each<Moment>([
  'when the next request arrives, by a reset',
  'when the next request arrives, in good order',
  'when it has read the next request, by a reset',
  'right after an answer, in good order',
  'right after an answer, by a reset',
  'a moment after an answer, in good order',
  'a moment after an answer, by a reset',
])(
  'no GET fails and no POST is sent twice when a backend closes connections %s',
  async (moment) => {
    backend = new Mortal(moment);
    harness = await Harness.start([], { urls: [`http://127.0.0.1:${await backend.start()}`] });
    const posted = new Map<string, Answer>();
    const failed: string[] = [];
    let next = 0;
    const client = async (): Promise<void> => {
      const agent = oneConnection();
      for (let id = next++; id < REQUESTS; id = next++) {
        // Every fifth is a POST with a body.
        const post = id % 5 === 0;
        const answer = await ask(harness.port, {
          agent,
          path: `/${id}`,
          headers: { host: 'any' },
          ...(post ? { method: 'POST', body: `body of ${id}` } : {}),
        });
        if (post) posted.set(String(id), answer);
        else if (answer.status !== 200 || answer.text !== String(id)) failed.push(`${id}: ${answer.status}`);
      }
      agent.destroy();
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    expect(failed).toEqual([]);
    const twice = [...posted.keys()].filter((id) => (backend.arrivals.get(id) ?? 0) > 1);
    expect(twice).toEqual([]);
    // One that was answered was also received, and one that was not is told so.
    for (const [id, { status, text }] of posted) {
      if (status === 200) expect([text, backend.arrivals.get(id)]).toEqual([id, 1]);
      else expect([status, JSON.parse(text).code]).toEqual([502, 'backend_closed']);
    }
    expect(posted.size).toBe(REQUESTS / 5);
  },
  60_000,
);
