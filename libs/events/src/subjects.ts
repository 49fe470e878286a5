import type { Writer } from './envelope.ts';

/**
 * Names of what goes over the wire. A record's subject is its aggregate: conditional appends compare the last
 * position of the subject, and NATS permissions allow each service to write only below its own.
 */
export const EVENTS_PREFIX = 'usher.events';
export const COMMANDS_PREFIX = 'usher.commands';
export const STATS_PREFIX = 'usher.stats';
/** Where agents ask for an answer: to be registered, for instance. */
export const AGENTS_PREFIX = 'usher.agents';
/** Where gateways tell each other to which backends clients go. */
export const STICKY_PREFIX = 'usher.sticky';
/** Where each gateway tells the others, below its name, what it has under way. */
export const IN_FLIGHT_PREFIX = 'usher.in_flight';

/** Where gateways are asked what they would do with a request: any of them, or below it one by its name. */
export const ROUTE_PREFIX = 'usher.route';

/** All that the scheduler decides is one aggregate: whoever appends to it with the right position is the leader. */
export const CONTROL_SUBJECT = `${EVENTS_PREFIX}.scheduler.control`;
/** The scheduler's facts; apart from its decisions, so that they never conflict with them. */
export const CHECKPOINT_SUBJECT = `${EVENTS_PREFIX}.scheduler.checkpoint`;

/** Subject of an aggregate that one of the other services owns, e.g. the health of a backend. */
export function eventSubject(writer: Exclude<Writer, 'scheduler'>, aggregate: string): string {
  return `${EVENTS_PREFIX}.${writer}.${aggregate}`;
}
