import { CATALOGUE, type CatalogueEntry, type EventType } from './catalogue.ts';
import type { EventContext, EventDraft, UsherEvent } from './envelope.ts';
import { type Recogniser, recogniserOf } from './recogniser.ts';

/**
 * A record is what the log stores at one position: an ordered batch of events that become durable together.
 * Its bytes are a JSON array of envelopes, the same in every driver.
 */

/** An event that was read but not understood. It stays in the log; folds do not see it. */
export interface Quarantined {
  /** Index of the event in its record; -1 when the record itself could not be read. */
  readonly index: number;
  readonly cause: string;
}

export interface DecodedRecord {
  readonly events: readonly UsherEvent[];
  readonly quarantined: readonly Quarantined[];
}

/** Puts drafts into envelopes. Ids come from `nextId`, everything else from `context`. */
export function envelop(
  drafts: readonly EventDraft[],
  context: Omit<EventContext, 'id'>,
  nextId: () => string,
): UsherEvent[] {
  const time = new Date(context.timeMs).toISOString();
  return drafts.map((draft) => {
    const event = {
      specversion: '1.0',
      id: nextId(),
      source: context.source,
      type: draft.type,
      subject: draft.subject,
      time,
      dataversion: CATALOGUE[draft.type].version,
      data: draft.data,
      actor: context.actor,
      ...(context.reason === undefined ? {} : { reason: context.reason }),
      ...(context.causationId === undefined ? {} : { causationid: context.causationId }),
    };
    return event as UsherEvent;
  });
}

/** When an event was made, in milliseconds since the epoch. */
export function eventTimeMs(event: { readonly time: string }): number {
  return Date.parse(event.time);
}

export function encodeRecord(events: readonly UsherEvent[]): string {
  return JSON.stringify(events);
}

/** Reads a record; whatever is not in the catalogue or does not fit its schema is set aside, never thrown. */
export function decodeRecord(text: string): DecodedRecord {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return { events: [], quarantined: [{ index: -1, cause: `not JSON: ${(error as Error).message}` }] };
  }
  if (!Array.isArray(parsed))
    return { events: [], quarantined: [{ index: -1, cause: 'not an array of events' }] };
  const events: UsherEvent[] = [];
  const quarantined: Quarantined[] = [];
  for (let index = 0; index < parsed.length; index++) {
    const outcome = decodeEvent(parsed[index]);
    if (typeof outcome === 'string') quarantined.push({ index, cause: outcome });
    else events.push(outcome);
  }
  return { events, quarantined };
}

/** One event lifted to its current version, or the reason why it cannot be used. */
function decodeEvent(raw: unknown): UsherEvent | string {
  if (typeof raw !== 'object' || raw === null) return 'not an object';
  const event = raw as Record<string, unknown>;
  for (const name of ['id', 'source', 'type', 'subject', 'time', 'actor']) {
    if (typeof event[name] !== 'string') return `attribute ${name} is missing`;
  }
  if (event['specversion'] !== '1.0') return 'not a CloudEvents 1.0 envelope';
  const type = event['type'] as string;
  if (!Object.hasOwn(CATALOGUE, type)) return `unknown type ${type.slice(0, 100)}`;
  const entry: CatalogueEntry = CATALOGUE[type as EventType];
  if (typeof event['dataversion'] !== 'number') return 'attribute dataversion is missing';
  let version: number = event['dataversion'];
  if (version > entry.version) return `${type} has version ${version}, newer than ${entry.version}`;
  let data = event['data'];
  while (version < entry.version) {
    const lift = entry.upcasters?.[version];
    if (lift === undefined) return `${type} has version ${version}, which cannot be read any more`;
    data = lift(data);
    version += 1;
  }
  if (event['dataversion'] === entry.version && recogniserFor(type, entry)(data)) return raw as UsherEvent;
  const result = entry.schema.safeParse(data);
  if (!result.success) {
    const issue = result.error.issues[0];
    return `${type}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'invalid'}`;
  }
  return { ...event, dataversion: entry.version, data: result.data } as UsherEvent;
}

const recognisers = new Map<string, Recogniser>();

function recogniserFor(type: string, { schema }: CatalogueEntry): Recogniser {
  let recogniser = recognisers.get(type);
  if (recogniser === undefined) {
    recogniser = recogniserOf(schema);
    recognisers.set(type, recogniser);
  }
  return recogniser;
}
