export { CATALOGUE, type CatalogueEntry, type EventData, type EventType } from './catalogue.ts';
export {
  COMMAND_NAMES,
  COMMANDS,
  type Command,
  type CommandAnswer,
  type CommandData,
  type CommandInput,
  type CommandName,
  type CommandOf,
  parseCommand,
} from './commands/commands.ts';
export type { CommandDeclaration, HttpForm } from './commands/declaration.ts';
export {
  type AgentReport,
  agentReport,
  backendSettings,
  backendStats,
  fitForId,
  ID_PATTERN,
  limitSettings,
  policySettings,
  routeSettings,
} from './data-schemas.ts';
export type { EventContext, EventDraft, EventOf, UsherEvent, Writer } from './envelope.ts';
export { decodeWord, encodeWords, type InFlightWord } from './in-flight-word.ts';
export { poolSettings } from './pool-schema.ts';
export {
  type DecodedRecord,
  decodeRecord,
  encodeRecord,
  envelop,
  eventTimeMs,
  type Quarantined,
} from './record.ts';
export {
  parseRouteQuestion,
  type RouteAct,
  type RouteAnswer,
  type RouteRequest,
  routeQuestion,
} from './route-question.ts';
export { sharedSettings } from './shared-schema.ts';
export {
  AGENTS_PREFIX,
  CHECKPOINT_SUBJECT,
  COMMANDS_PREFIX,
  CONTROL_SUBJECT,
  EVENTS_PREFIX,
  eventSubject,
  IN_FLIGHT_PREFIX,
  ROUTE_PREFIX,
  STATS_PREFIX,
  STICKY_PREFIX,
} from './subjects.ts';
