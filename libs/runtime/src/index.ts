export {
  type AdminIdentity,
  type AdminRole,
  type AdminToken,
  hashFinder,
  secretFinder,
} from './admin-access.ts';
export type { AdminAccess } from './admin-gate.ts';
export {
  type AdminServer,
  type AdminServerOptions,
  createAdminApp,
  startAdminServer,
} from './admin-server.ts';
export { allowedMethods } from './allowed-methods.ts';
export {
  COUNT,
  described,
  FLAG,
  INSTANT,
  type JsonSchema,
  listOf,
  NUMBER,
  nullable,
  objectOf,
  oneOf,
  optional,
  TEXT,
} from './api/json-schema.ts';
export { CHANGE } from './api/open-api.ts';
export { declareRoute, type RouteDoc } from './api/route-doc.ts';
export { type BackendTlsMaterial, readBackendTls } from './backend-tls.ts';
export { systemClock } from './clock.ts';
export { dnsResolver } from './dns-resolver.ts';
export { familyHead, sampleLines } from './exposition.ts';
export { FileWatch } from './file-watch.ts';
export { guardedLookup } from './guarded-lookup.ts';
export { type HealthReport, healthReport, type Phase } from './health-report.ts';
export { PUBLISHED_ALGORITHMS } from './jwt/algorithms.ts';
export { JwtKeySet, type JwtKeySettings, readJwtKey, writtenJwtKey } from './jwt/key-set.ts';
export { nameOfPlace, PublishedKeys } from './jwt/published-keys.ts';
export { JwtChecker } from './jwt/verifier.ts';
export { InheritedSockets, type ListeningSocket, listeningSockets } from './listening-sockets.ts';
export { createLog, type LogLevel, type LogOptions, type ProcessLog } from './log.ts';
export { createMetrics, type MetricsReading, type MetricsRegistry } from './metrics.ts';
export {
  type MetricsForm,
  type MetricsServerOptions,
  type RunningServer,
  startMetricsServer,
} from './metrics-server.ts';
export { isLoopback, networkList, plainAddress } from './networks.ts';
export { notifySupervisor } from './notify-supervisor.ts';
export { type Outage, Outages } from './outages.ts';
export { pathOf, problemFor, sendProblem } from './problem-reply.ts';
export { systemRandom } from './random.ts';
export { onReloadSignal } from './reload-signal.ts';
export { onRestartSignal } from './restart-signal.ts';
export {
  COOKIE_SESSION,
  type IdKind,
  keyOfClient,
  keyOfSession,
  sessionIdOf,
  sessionOfCookie,
} from './session-id.ts';
export { onStopSignals, type StopSignal } from './stop-signals.ts';
export { type Targets, targetsOf } from './targets.ts';
