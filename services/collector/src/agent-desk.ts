import { ERRORS, type ErrorCode, problemOf, UsherError } from '@usher/domain';
import {
  AGENTS_PREFIX,
  COMMANDS_PREFIX,
  type CommandAnswer,
  type CommandName,
  parseCommand,
} from '@usher/events';
import type { ServiceContext, Subscription } from '@usher/ports';

/** How long the leader may take to make a command durable. */
const ANSWER_TIMEOUT_MS = 5_000;
/** How long to wait for this process to have folded what a command did. */
const FOLD_TIMEOUT_MS = 1_000;

/** Who an agent is, and the backend that it speaks for. */
interface Speaker {
  readonly backend: string;
  readonly actor: string;
}

/**
 * Takes what agents want beside reporting, over the bus at `usher.agents.<backend>` and over HTTP, and turns it into
 * commands. Whoever may use that subject, or a token for it, speaks for that backend and no other.
 */
export class AgentDesk {
  readonly #context: ServiceContext;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  serve(): Subscription {
    return this.#context.bus.serve(`${AGENTS_PREFIX}.*`, async (subject, payload) => {
      const backend = subject.slice(AGENTS_PREFIX.length + 1);
      try {
        await this.#take({ backend, actor: `agent/${backend}` }, payload);
        return '{}';
      } catch (error) {
        const problem =
          error instanceof UsherError ? problemOf(error.code, error.detail) : problemOf('internal');
        return JSON.stringify({ problem });
      }
    });
  }

  /** Resolves when the backend is registered, durably, and known here. Throws UsherError for what is refused. */
  async register({ backend, actor }: Speaker, settings: unknown): Promise<void> {
    if (typeof settings !== 'object' || settings === null || 'id' in settings)
      throw new UsherError(
        'invalid_input',
        'settings must be an object without id, which is that of the agent',
      );
    await this.#command('backend.announce', { settings: { weight: 1, ...settings, id: backend } }, actor);
    // Otherwise the first report would be one of a backend that nobody knows.
    await this.#folded(() => this.#context.fleet.state.backends.has(backend));
  }

  /** The backend drains and goes, if an agent registered it. */
  async deregister({ backend, actor }: Speaker): Promise<void> {
    await this.#command('backend.withdraw', { backend }, actor);
    // Whoever looks afterwards is to see it go, and so does not ask for it again.
    await this.#folded(() => {
      const left = this.#context.fleet.state.backends.get(backend);
      return left === undefined || left.removing || left.origin !== 'agent';
    });
  }

  async #take(speaker: Speaker, payload: string): Promise<void> {
    const { wish, settings } = parsed(payload);
    if (wish === 'register') await this.register(speaker, settings);
    else if (wish === 'deregister') await this.deregister(speaker);
    else if (wish !== 'check') throw new UsherError('invalid_input', 'wish: register, deregister or check');
    else if (!this.#context.fleet.state.backends.has(speaker.backend))
      throw new UsherError('not_found', `The fleet has no backend ${speaker.backend}`);
  }

  async #command(name: CommandName, data: unknown, actor: string): Promise<void> {
    const { bus, random } = this.#context;
    const command = parseCommand({ id: random.uuid(), name, data, actor });
    if (typeof command === 'string') throw new UsherError('invalid_input', command);
    const text = await bus.request(`${COMMANDS_PREFIX}.${name}`, JSON.stringify(command), ANSWER_TIMEOUT_MS);
    const answer = JSON.parse(text) as CommandAnswer;
    if (answer.ok) return;
    // A scheduler of another version may know codes that we do not.
    const code: ErrorCode = Object.hasOwn(ERRORS, answer.problem.code) ? answer.problem.code : 'internal';
    throw new UsherError(code, answer.problem.detail);
  }

  /** Waits for this process to have heard of what has become durable. */
  async #folded(holds: () => boolean): Promise<void> {
    const { fleet, clock } = this.#context;
    if (holds()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = clock.after(FOLD_TIMEOUT_MS, resolve);
    const records = fleet.onRecord(() => {
      if (holds()) resolve();
    });
    await promise;
    timer.cancel();
    records.stop();
  }
}

function parsed(payload: string): { readonly wish?: unknown; readonly settings?: unknown } {
  try {
    const wish: unknown = JSON.parse(payload);
    if (typeof wish === 'object' && wish !== null) return wish;
  } catch {
    // Said below, as of any other nonsense.
  }
  throw new UsherError('invalid_input', 'a wish is a JSON object');
}
