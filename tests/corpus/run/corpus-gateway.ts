import { type Gateway, startGateway } from '@usher/gateway';
import { policy, pool, route } from '../../../services/gateway/src/testing/fixtures.ts';
import { backendAt, TestFleet } from '../../../services/gateway/src/testing/fleet.ts';
import { until } from '../../support/wait.ts';
import { CORPUS_LIMITS } from '../requests/limits.ts';
import { PeerSocket } from './peer-socket.ts';
import { RecordingBackend } from './recording-backend.ts';

const BARRIER_PATH = '/corpus-barrier';
const BARRIER = `GET ${BARRIER_PATH} HTTP/1.1\r\nHost: barrier\r\n\r\n`;
const EMPTY_OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';

/** The built gateway with one worker and one recording backend, for as many connections as a corpus makes. */
export class CorpusGateway {
  readonly backend: RecordingBackend;
  private readonly fleet = new TestFleet();
  private readonly beside = new RecordingBackend((_, connection) => connection.send(EMPTY_OK));
  private gateway: Gateway | undefined;
  private control: PeerSocket | undefined;

  private constructor(backend: RecordingBackend) {
    this.backend = backend;
  }

  static async start(backend: RecordingBackend): Promise<CorpusGateway> {
    const corpus = new CorpusGateway(backend);
    const settings = policy({
      limits: { ...policy().limits, ...CORPUS_LIMITS, connections: 10_000 },
      routes: [
        route({ id: 'barrier', host: 'barrier', path: BARRIER_PATH, pool: 'beside' }),
        route({ id: 'all', path: '/*', pool: 'web' }),
      ],
    });
    const breaker = { ...pool().breaker, enabled: false };
    const backends = [
      backendAt('recording', await backend.listen()),
      backendAt('beside', await corpus.beside.listen(), { pool: 'beside' }),
    ];
    corpus.gateway = await startGateway(
      corpus.fleet.context(),
      // What begins like HTTP/2 is a case like any other here.
      { listen: [{ host: '127.0.0.1', port: 0, http2: false }], workers: 1 },
      { ...settings, pools: [pool({ breaker }), pool({ id: 'beside', breaker })], backends },
    );
    corpus.control = PeerSocket.to(corpus.port);
    return corpus;
  }

  connect(): PeerSocket {
    return PeerSocket.to(this.port);
  }

  /**
   * The worker has handled whatever was sent to it so far. Its kernel reports what is readable in the order of arrival,
   * so a request that is answered was read behind all of that; two, because accepting a connection takes a turn more.
   */
  async barrier(): Promise<void> {
    const { control } = this;
    if (control === undefined) throw new Error('the gateway has not started');
    for (let round = 0; round < 2; round++) {
      const before = control.reader.messages.length;
      control.send(BARRIER);
      await new Promise<void>((resolve) => {
        control.onChange = () => {
          if (control.reader.messages.length > before || control.ended !== 'no') resolve();
        };
      });
    }
    if (control.ended !== 'no') throw new Error('the gateway closed the connection of the barrier');
    control.reader.messages.length = 0;
    this.beside.takeRecords();
    await nextTurn();
  }

  async stop(): Promise<void> {
    this.control?.drop();
    await this.gateway?.stop();
    await this.backend.stop();
    await this.beside.stop();
    await this.fleet.close();
  }

  private get port(): number {
    return this.gateway?.addresses[0]?.port ?? 0;
  }
}

/** What was readable when this was called has been read. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}

/** Waits until every connection is where `settled` wants it; gives up after the time of a slow machine. */
export async function allSettled<T>(
  runs: readonly T[],
  peerOf: (run: T) => PeerSocket,
  settled: (run: T) => boolean,
): Promise<void> {
  const waiting = new Set(runs.filter((run) => !settled(run)));
  for (const run of waiting) {
    peerOf(run).onChange = () => {
      if (settled(run)) waiting.delete(run);
    };
  }
  await until('every connection got its answers', () => waiting.size === 0, SETTLE_LIMIT_MS).catch(() => {});
}

const SETTLE_LIMIT_MS = 10_000;
