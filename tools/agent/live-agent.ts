import type { BackendStats } from '../../libs/domain/src/index.ts';
import type { Clock, Log, MessageBus } from '../../libs/ports/src/index.ts';
import { type AgentSources, startAgent } from '../../services/agent/src/index.ts';

const clock: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return { cancel: () => clearTimeout(timer) };
  },
  every(ms, callback) {
    const timer = setInterval(callback, ms);
    return { cancel: () => clearInterval(timer) };
  },
};
const log: Log = {
  debug() {},
  info: console.log,
  warn: console.warn,
  error: console.error,
  child: () => log,
};

/** An agent on this machine as it is, for programs that compare what it says with what others say. */
export class LiveAgent {
  readonly reports: BackendStats[] = [];
  readonly #agent;

  constructor(sources: AgentSources) {
    const bus: MessageBus = {
      publish: (_subject, payload) => void this.reports.push(JSON.parse(payload) as BackendStats),
      request: async () => '{}',
      serve: () => ({ stop: () => undefined }),
      subscribe: () => ({ stop: () => undefined }),
    };
    const random = { next: () => 0.5, uuid: () => '' };
    this.#agent = startAgent({ id: 'live', target: { bus }, clock, random, log, sources });
  }

  async stop(): Promise<void> {
    await this.#agent.stop();
  }
}
