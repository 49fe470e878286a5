import { auditReservations, FleetFold } from '@usher/actors';
import { CATALOGUE, CONTROL_SUBJECT } from '@usher/events';
import type { LogRecord } from '@usher/ports';
import type { Issued } from '../fleet/operator.ts';
import type { LogDisk } from '../parts/log-disk.ts';
import type { Finding } from './findings.ts';

/** Everything that the log holds. */
export function historyOf(disk: LogDisk): LogRecord[] {
  return Array.from({ length: disk.durable }, (_, index) => disk.read(index + 1));
}

/** What the log must hold of each command, by what whoever sent it was told. */
export function* checkCommands(history: readonly LogRecord[], issued: readonly Issued[]): Generator<Finding> {
  const invariant = 'no acknowledged command is lost or applied twice';
  const accepted = new Map<string, number[]>();
  for (const { position, events } of history) {
    for (const { type, data } of events)
      if (type === 'command.accepted')
        accepted.set(data.command, [...(accepted.get(data.command) ?? []), position]);
  }
  for (const { id, answer } of issued) {
    const positions = accepted.get(id) ?? [];
    if (positions.length > 1) yield { invariant, detail: `${id} was applied at ${positions.join()}` };
    if (answer?.ok !== true || positions.includes(answer.position)) continue;
    yield { invariant, detail: `${id} was acknowledged at ${answer.position} and is at ${positions.join()}` };
  }
  for (const before of issued) {
    if (before.answer?.ok !== true) continue;
    for (const { id, answer, sentMs } of issued) {
      if (answer?.ok !== true || sentMs <= before.answeredMs || answer.position > before.answer.position)
        continue;
      yield { invariant, detail: `${id} was sent when ${before.id} was acknowledged, and lies before it` };
    }
  }
}

/** Between two elections only who was elected writes decisions, and each election is of the next term. */
export function* checkLeaders(history: readonly LogRecord[], disk: LogDisk): Generator<Finding> {
  const invariant = 'at most one leader acts';
  let leader = '';
  let term = 0;
  for (const { position, subject, events } of history) {
    if (subject !== CONTROL_SUBJECT) continue;
    const writer = disk.writerOf(position);
    const [first] = events;
    if (first?.type === 'scheduler.elected') {
      if (first.data.term !== term + 1)
        yield { invariant, detail: `term ${first.data.term} at ${position} follows term ${term}` };
      leader = writer;
      term = first.data.term;
    } else if (writer !== leader) {
      yield { invariant, detail: `${writer} decides at ${position} in the term of ${leader}` };
    }
  }
}

/** The log holds nothing that is not in the catalogue, each from the service that may write it. */
export function* checkWriters(history: readonly LogRecord[]): Generator<Finding> {
  const invariant = 'every event is declared and written by its writer';
  for (const { position, events, quarantined } of history) {
    for (const { cause } of quarantined) yield { invariant, detail: `${cause} at ${position}` };
    for (const { type, source } of events) {
      const { writer } = CATALOGUE[type];
      if (!source.startsWith(`usher/${writer}/`))
        yield { invariant, detail: `${type} at ${position} by ${source}` };
    }
  }
}

/** No event is in the log twice. */
export function* checkOnce(history: readonly LogRecord[]): Generator<Finding> {
  const positions = new Map<string, number>();
  for (const { position, events } of history) {
    for (const { id, type } of events) {
      const before = positions.get(id);
      if (before !== undefined)
        yield {
          invariant: 'facts are counted once',
          detail: `${type} ${id} is at ${before} and ${position}`,
        };
      positions.set(id, position);
    }
  }
}

/** A replay from the beginning, of what is on the disk, gives the state that the processes have. */
export function* checkReplay(history: readonly LogRecord[], live: string): Generator<Finding> {
  const fold = new FleetFold();
  for (const record of history) fold.apply(record);
  if (fold.digest() === live) return;
  yield { invariant: 'a replay gives the live digest', detail: `${fold.digest()} is not ${live}` };
}

/**
 * By the events alone, no reservation was beyond what there was. What a gateway tells the store of after the store gave it
 * away, because the gateway was cut off for longer than its lease, is in use already and counts, room or not.
 */
export function* checkReservations(history: readonly LogRecord[]): Generator<Finding> {
  const { violations } = auditReservations(history.flatMap(({ events }) => events));
  for (const violation of violations)
    if (!violation.restored)
      yield {
        invariant: 'capacity is never exceeded',
        detail: `the audit says ${JSON.stringify(violation)}`,
      };
}

/** What gateways told of their attempts, each attempt once. */
export function* checkFacts(
  history: readonly LogRecord[],
  ended: ReadonlyMap<string, ReadonlyMap<string, number>>,
  /** Gateways whose every attempt must have been told. */
  whole: ReadonlySet<string>,
): Generator<Finding> {
  const told = new Map<string, number>();
  for (const { events } of history) {
    for (const { type, data } of events) {
      if (type !== 'gateway.observed') continue;
      for (const { backend, requests } of data.backends) add(told, `${data.gateway} ${backend}`, requests);
    }
  }
  const happened = new Map<string, number>();
  for (const [life, counts] of ended)
    for (const [backend, count] of counts) add(happened, `${life.split('#')[0]} ${backend}`, count);
  for (const key of new Set([...told.keys(), ...happened.keys()])) {
    const [is, was] = [told.get(key) ?? 0, happened.get(key) ?? 0];
    const gateway = key.split(' ')[0]!;
    if (is > was || (is < was && whole.has(gateway)))
      yield { invariant: 'facts are counted once', detail: `${key}: ${is} told of ${was}` };
  }
}

/** Nothing is said to be healthy before it answered a probe. */
export function* checkHealth(
  history: readonly LogRecord[],
  answered: ReadonlySet<string>,
): Generator<Finding> {
  for (const { position, events } of history) {
    for (const { type, data } of events) {
      if (type !== 'backend.became_healthy' || answered.has(data.backend)) continue;
      const detail = `${data.backend} became healthy at ${position} without a probe`;
      yield { invariant: 'health follows probes', detail };
    }
  }
}

function add(sums: Map<string, number>, key: string, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}
