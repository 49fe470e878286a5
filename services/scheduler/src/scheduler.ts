import { BackendActors } from '@usher/actors';
import { type CommandReceipt, problemOf, UsherError } from '@usher/domain';
import {
  COMMANDS_PREFIX,
  type Command,
  type CommandAnswer,
  type EventDraft,
  parseCommand,
} from '@usher/events';
import type { LogRecord, Service, ServiceContext, Snapshot, Subscription, Timer } from '@usher/ports';
import { assertAsSafe } from './assert-as-safe.ts';
import { Checkpoints } from './checkpoints.ts';
import { accepted, earlier } from './command-receipts.ts';
import { commandsOffer } from './commands-offer.ts';
import { ControlLog } from './control-log.ts';
import { decideBreaker, decideTrial } from './decide-breaker.ts';
import { decideCommand } from './decide-command.ts';
import { applyConfig, type DeclaredConfig, decideConfig, isOutdated } from './decide-config.ts';
import { decideDeadlines } from './decide-deadlines.ts';
import { Discovery, type DiscoveryTools } from './discovery/discovery.ts';
import { GatewayWatch } from './gateway-watch.ts';
import { Leadership } from './leadership.ts';
import { assertReachable, type OwnAddress } from './own-addresses.ts';
import { Revisions } from './revisions.ts';
import { SuspectWatch } from './suspect-watch.ts';

const DEADLINES_EVERY_MS = 100;
const GATEWAYS_EVERY_MS = 2_000;
const SUSPECTS_EVERY_MS = 1_000;
/** What the file declares is tried again so often when the log could not take it. */
const DECLARED_EVERY_MS = 2_000;

export interface SchedulerOptions {
  /** What this process's file declares; the leader makes the fleet so. */
  readonly declared: DeclaredConfig | undefined;
  /** A snapshot of the process's fold. */
  readonly snapshot: () => Snapshot;
  readonly discovery: DiscoveryTools;
  /** Where no command may put a backend: the admin API and the metrics of this process. */
  readonly own: readonly OwnAddress[];
}

/** The scheduler: of several, the leader decides; the others stand by. */
export class Scheduler implements Service {
  readonly name = 'scheduler';
  readonly #context: ServiceContext;
  readonly #actors: BackendActors;
  readonly #control: ControlLog;
  readonly #leadership: Leadership;
  readonly #checkpoints: Checkpoints;
  readonly #gateways: GatewayWatch;
  readonly #discovery: Discovery;
  readonly #suspects: SuspectWatch;
  readonly #revisions: Revisions;
  readonly #own: readonly OwnAddress[];
  readonly #records: Subscription;
  #commands: Subscription | undefined;
  #timers: Timer[] = [];
  #declared: DeclaredConfig | undefined;
  /** The file changed while this scheduler led, and the fleet has to follow. */
  #changed = false;
  #accepted = 0;
  #refused = 0;

  constructor(context: ServiceContext, options: SchedulerOptions) {
    this.#context = context;
    this.#declared = options.declared;
    this.#actors = new BackendActors(context.fleet);
    this.#leadership = new Leadership(
      context,
      async () => await this.#lead(),
      () => this.#retire(),
    );
    this.#control = new ControlLog(context, () => this.#leadership.depose());
    this.#checkpoints = new Checkpoints(context, options.snapshot);
    this.#gateways = new GatewayWatch(context);
    this.#discovery = new Discovery({
      ...options.discovery,
      context,
      actors: this.#actors,
      own: options.own,
      write: (reason, decide) => this.#decideAlone(decide, reason),
    });
    this.#suspects = new SuspectWatch(context);
    this.#revisions = new Revisions(context);
    this.#own = options.own;
    this.#records = context.fleet.onRecord((record) => this.#onRecord(record));
    this.#exposeMetrics();
  }

  /** Resolves once this scheduler leads or stands by. */
  async start(): Promise<void> {
    await this.#leadership.start();
  }

  /** Takes what this process's file declares from now on; the leader makes the fleet so, a standby when it comes to lead. */
  declare(declared: DeclaredConfig): void {
    this.#declared = declared;
    this.#changed = this.#leadership.leading;
    this.#applyChanged();
  }

  fault(): string | undefined {
    if (!this.#leadership.leading && this.#context.fleet.state.leader === null) return 'no scheduler leads';
    return this.#discovery.fault();
  }

  async stop(): Promise<void> {
    this.#records.stop();
    if (this.#leadership.leading) await this.#checkpoints.save();
    await this.#leadership.stop();
    this.#actors.stop();
  }

  async #lead(): Promise<void> {
    const { instance, fleet, clock, log, bus } = this.#context;
    await this.#control.open();
    const declared = this.#declared;
    if (declared !== undefined && isOutdated(fleet.state, declared, instance)) {
      const { revision, by } = fleet.state.config ?? {};
      log.warn('the file of this process was in force before and is not taken again', { revision, by });
    }
    await this.#control.decide({ actor: instance }, () => [
      {
        type: 'scheduler.elected',
        subject: instance,
        data: { scheduler: instance, term: (fleet.state.leader?.term ?? 0) + 1 },
      },
      ...(declared === undefined ? [] : decideConfig(fleet.state, declared, instance, clock.now())),
    ]);
    // It may have changed during the election.
    this.#changed = this.#declared !== declared;
    this.#gateways.reset();
    this.#suspects.reset();
    this.#commands = bus.serve(
      `${COMMANDS_PREFIX}.>`,
      async (_subject, payload) => await this.#answer(payload),
      commandsOffer(this.#context),
    );
    this.#discovery.start();
    this.#timers = [
      clock.every(DEADLINES_EVERY_MS, () => this.#passDeadlines()),
      clock.every(GATEWAYS_EVERY_MS, () => void this.#missGateways()),
      clock.every(SUSPECTS_EVERY_MS, () => this.#suspectGateways()),
      clock.every(DECLARED_EVERY_MS, () => this.#applyChanged()),
    ];
    log.info('leading', { term: fleet.state.leader?.term ?? 1 });
  }

  #retire(): void {
    this.#changed = false;
    this.#commands?.stop();
    this.#commands = undefined;
    this.#discovery.stop();
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
  }

  async #answer(payload: string): Promise<string> {
    const answer = await this.#execute(payload);
    if (answer.ok) this.#accepted += 1;
    else this.#refused += 1;
    return JSON.stringify(answer);
  }

  async #execute(payload: string): Promise<CommandAnswer> {
    try {
      const command = parseCommand(parseJson(payload));
      if (typeof command === 'string') throw new UsherError('invalid_input', command);
      return await this.#carryOut(command);
    } catch (error) {
      if (error instanceof UsherError) {
        const outdated = await this.#revisions.outdated(error);
        return { ok: false, problem: problemOf(error.code, error.detail, outdated) };
      }
      this.#context.log.error('a command failed', { cause: (error as Error).stack });
      return { ok: false, problem: problemOf('internal') };
    }
  }

  async #carryOut(command: Command): Promise<CommandAnswer> {
    const { fleet, clock } = this.#context;
    const cause = { actor: command.actor, reason: command.reason, commandId: command.id };
    // Worked out before its turn in the queue: nobody else's decision has to wait for it.
    const past = command.name === 'config.revert' ? await this.#revisions.past(command.data.to) : undefined;
    let receipt: CommandReceipt | undefined;
    const decided = await this.#control.decide(cause, () => {
      receipt = earlier(fleet.state, command);
      if (receipt !== undefined) return [];
      this.#revisions.check(command);
      const surroundings = { nowMs: clock.now(), past };
      const drafts = decideCommand(fleet.state, this.#actors, command, surroundings);
      assertReachable(fleet.state, drafts, this.#own);
      if (command.role === 'operate') assertAsSafe(fleet.state, drafts);
      return [...drafts, accepted(command)];
    });
    const { position, eventTypes } = receipt ?? { ...decided, eventTypes: decided.eventTypes.slice(0, -1) };
    return { ok: true, position, events: eventTypes, repeated: receipt !== undefined };
  }

  #passDeadlines(): void {
    const { fleet, clock } = this.#context;
    // Most of the time nothing is due; only then is it worth a turn in the queue.
    if (decideDeadlines(fleet.state, this.#actors, clock.now()).length === 0) return;
    this.#decideAlone(() => decideDeadlines(fleet.state, this.#actors, clock.now()));
  }

  /** Whoever changes the file of a leader means it, also when it goes back to an old one. */
  #applyChanged(): void {
    const { fleet, clock } = this.#context;
    const declared = this.#declared;
    if (!this.#changed || declared === undefined) return;
    if (fleet.state.config?.hash === declared.hash) this.#changed = false;
    else this.#decideAlone(() => applyConfig(fleet.state, declared, clock.now()));
  }

  async #missGateways(): Promise<void> {
    const drafts = await this.#gateways.look();
    if (drafts.length > 0) this.#decideAlone(() => drafts);
  }

  #suspectGateways(): void {
    const drafts = this.#suspects.look();
    for (const { type, data } of drafts) this.#context.log.warn(type, data);
    if (drafts.length > 0) this.#decideAlone(() => drafts);
  }

  #onRecord(record: LogRecord): void {
    this.#discovery.onRecord(record);
    if (!this.#leadership.leading) return;
    for (const event of record.events) {
      if (event.type === 'checkpoint.written') return;
      if (event.type === 'backend.became_healthy' || event.type === 'backend.probes_passed') {
        // Probes see it answer again, so there is no reason to wait for the breaker's own time.
        const { backend } = event.data;
        const { fleet, clock } = this.#context;
        this.#decideAlone(() => decideTrial(fleet.state, this.#actors, backend, clock.now()));
      }
      if (event.type === 'breaker.tripped' || event.type === 'breaker.recovered') {
        const { backend } = event.data;
        const recovered = event.type === 'breaker.recovered';
        const { fleet, clock } = this.#context;
        this.#decideAlone(() => decideBreaker(fleet.state, this.#actors, backend, recovered, clock.now()));
      }
    }
    void this.#checkpoints.onRecord();
  }

  /** Decides what nobody waits for. What fails for want of the log is due again at the next look. */
  #decideAlone(decide: () => EventDraft[], reason?: string): void {
    const { instance, log } = this.#context;
    this.#control.decide({ actor: instance, reason }, decide).catch((error: unknown) => {
      log.warn('a decision could not be written', { cause: (error as Error).message });
    });
  }

  #exposeMetrics(): void {
    const { metrics } = this.#context;
    this.#suspects.exposeMetrics(metrics);
    metrics.gauge('usher_scheduler_leading', 'Whether this process leads', () => [
      { labels: {}, value: this.#leadership.leading ? 1 : 0 },
    ]);
    metrics.counter('usher_commands_total', 'Commands answered, by outcome', () => [
      { labels: { outcome: 'accepted' }, value: this.#accepted },
      { labels: { outcome: 'refused' }, value: this.#refused },
    ]);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsherError('invalid_input', `not JSON: ${(error as Error).message}`);
  }
}
