import { setTimeout as sleep } from 'node:timers/promises';
import type { BackendStats } from '@usher/domain';
import type { MessageBus, Service } from '@usher/ports';
import { RecordingLog, SimulatedClock, seededRandom, tempDir } from '@usher/testing';
import { type AgentOptions, startAgent } from '../agent.ts';
import { RecordedMachine } from './machine.ts';

const SECOND_MS = 1_000;

/** An agent on a recorded machine, whose seconds pass when the test says so, and the bus that it reports to. */
export class AgentRig {
  readonly clock = new SimulatedClock();
  readonly log = new RecordingLog();
  readonly published: { readonly subject: string; readonly payload: string }[] = [];
  readonly asked: { readonly subject: string; readonly payload: string }[] = [];
  /** What the fleet answers to questions. */
  answer: (question: string) => Promise<string> = async () => '{}';
  machine: RecordedMachine;
  readonly #dir = tempDir();
  #agent: Service | undefined;

  readonly #bus: MessageBus = {
    publish: (subject, payload) => void this.published.push({ subject, payload }),
    request: (subject, payload) => {
      this.asked.push({ subject, payload });
      return this.answer(payload);
    },
    serve: () => ({ stop: () => undefined }),
    subscribe: () => ({ stop: () => undefined }),
  };

  constructor(cores = 2) {
    this.machine = new RecordedMachine(this.#dir.path, cores);
  }

  /** Another number of cores, before the agent starts. */
  withCores(cores: number): RecordedMachine {
    this.machine = new RecordedMachine(this.#dir.path, cores);
    return this.machine;
  }

  start(changes: Partial<AgentOptions> = {}): Service {
    const { clock, log, machine } = this;
    const { sources, ...others } = changes;
    this.#agent = startAgent({
      id: 'web-1',
      target: { bus: this.#bus },
      clock,
      random: seededRandom(1),
      log,
      sources: { root: machine.root, disk: machine.root, nvidiaSmi: machine.nvidiaSmi, ...sources },
      ...others,
    });
    return this.#agent;
  }

  /** A second passes, in which each core was busy for so many of the ticks that were counted. */
  async second(busyTicks: readonly number[] = [0, 0], ticks = 100): Promise<void> {
    this.machine.spend(busyTicks, ticks);
    this.clock.advance(SECOND_MS);
    await sleep(0);
  }

  /** Lets idle seconds pass, and the outside work in between, until it holds. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await this.second();
      await sleep(2);
    }
  }

  /** The newest report; undefined before the first. */
  get latest(): BackendStats | undefined {
    const last = this.published.at(-1);
    return last === undefined ? undefined : (JSON.parse(last.payload) as BackendStats);
  }

  async end(): Promise<void> {
    await this.#agent?.stop();
    this.#agent = undefined;
    this.#dir.remove();
  }
}
