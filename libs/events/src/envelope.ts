import type { EventData, EventType } from './catalogue.ts';

/** Who wrote an event: each event type has exactly one such service; `process` is every process, whatever services it has. */
export type Writer = 'gateway' | 'scheduler' | 'health' | 'collector' | 'admin' | 'process';

/**
 * One event: a CloudEvents 1.0 envelope in JSON. `actor`, `reason`, `causationid`, `traceparent` and
 * `dataversion` are extension attributes.
 */
export interface EventOf<T extends EventType> {
  readonly specversion: '1.0';
  /** UUIDv7; equal ids are the same event. */
  readonly id: string;
  /** `usher/<writer>/<instance>`. */
  readonly source: string;
  readonly type: T;
  /** What it is about: a backend, pool or gateway id, or `fleet`. */
  readonly subject: string;
  /** RFC 3339, when its writer made it. */
  readonly time: string;
  readonly dataversion: number;
  readonly data: EventData<T>;
  /** Person or service that wanted it. */
  readonly actor: string;
  readonly reason?: string;
  /** Id of the command or event that caused it. */
  readonly causationid?: string;
  readonly traceparent?: string;
}

export type UsherEvent = { [T in EventType]: EventOf<T> }[EventType];

/** Where an event came from, for the parts of the envelope that do not depend on its type. */
export interface EventContext {
  readonly id: string;
  readonly source: string;
  readonly timeMs: number;
  readonly actor: string;
  readonly reason?: string | undefined;
  readonly causationId?: string | undefined;
}

/** A type with its data, before it has an envelope: what deciders return. */
export type EventDraft = {
  [T in EventType]: { readonly type: T; readonly subject: string; readonly data: EventData<T> };
}[EventType];
