import { once } from 'node:events';

/** What the inspector of Node is told and asked, by the names of its protocol. */
type Parameters = Readonly<Record<string, unknown>>;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: Parameters;
  readonly error?: { readonly message: string };
  readonly params?: { readonly sessionId?: string; readonly message?: string };
}

/** Speaks to the inspector of a running process: to its main thread and, through that, to its worker threads. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #workers = new Set<string>();
  readonly #waiting = new Map<string, (message: Message) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#receive('', JSON.parse(String(data)) as Message));
  }

  static async connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    await once(socket, 'open');
    const inspector = new Inspector(socket);
    await inspector.#ask('', 'NodeWorker.enable', { waitForDebuggerOnStart: false });
    return inspector;
  }

  /** Collects the garbage of all threads, and answers with what is still in use of their heaps. */
  async collectGarbage(): Promise<number> {
    let usedBytes = 0;
    for (const thread of ['', ...this.#workers]) {
      // What the first pass finalises only a second one frees.
      await this.#ask(thread, 'HeapProfiler.collectGarbage');
      await this.#ask(thread, 'HeapProfiler.collectGarbage');
      const { usedSize } = await this.#ask(thread, 'Runtime.getHeapUsage');
      usedBytes += Number(usedSize);
    }
    return usedBytes;
  }

  /** A process waits with its end until nobody inspects it. */
  close(): void {
    this.#socket.close();
  }

  /** A worker's session, or '' for the main thread. */
  async #ask(thread: string, method: string, params: Parameters = {}): Promise<Parameters> {
    const id = ++this.#lastId;
    const request = { id, method, params };
    if (thread === '') this.#socket.send(JSON.stringify(request));
    else {
      const message = JSON.stringify(request);
      await this.#ask('', 'NodeWorker.sendMessageToWorker', { sessionId: thread, message });
    }
    const { result, error } = await new Promise<Message>((resolve) => {
      this.#waiting.set(`${thread} ${id}`, resolve);
    });
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  #receive(thread: string, message: Message): void {
    const { id, method, params: { sessionId = '', message: inner = '' } = {} } = message;
    if (method === 'NodeWorker.attachedToWorker') this.#workers.add(sessionId);
    else if (method === 'NodeWorker.receivedMessageFromWorker') {
      this.#receive(sessionId, JSON.parse(inner) as Message);
    } else if (id !== undefined) {
      this.#waiting.get(`${thread} ${id}`)?.(message);
      this.#waiting.delete(`${thread} ${id}`);
    }
  }
}
