export { type AdminRefusal, type AdminRefusals, REFUSAL_CAUSES, type RefusalCause } from './admin-refusal.ts';
export {
  type Allocation,
  type AllocationRoom,
  type BackendState,
  type BackendStats,
  type Breaker,
  type Eligibility,
  eligibility,
  type GpuStats,
  type Health,
  type Lifecycle,
  newBackend,
  plusResources,
  type Resources,
  roomLeft,
  type StoreStep,
} from './backend.ts';
export { type Origin, parseBackendUrl } from './backend-url.ts';
export { canonicalJson } from './canonical-json.ts';
export { type Change, changesBetween } from './changes.ts';
export {
  CLEARED_SESSIONS_MAX,
  type Clearance,
  clearanceOf,
  clearedStill,
  noneCleared,
} from './clearance.ts';
export { networkOf } from './client-network.ts';
export { builtInPlugin, type Coding, type CompressionSettings } from './compression.ts';
export { configFaults, sendsAllElsewhere } from './config-faults.ts';
export type { ConfigPreview, PreviewAnswer } from './config-preview.ts';
export { configChanges, isDeclared, sharedSettingsOf } from './config-view.ts';
export { type DecidingBy, recordDecision } from './decision/record-decision.ts';
export type { RecordedDecision } from './decision/recorded-decision.ts';
export { Redecider } from './decision/redecider.ts';
export { defaultPool, defaultRoute } from './default-settings.ts';
export { discoveredId } from './discovered-id.ts';
export { DISCOVERED_KEYS, type DiscoverySettings, PRIORITY_MAX } from './discovery-settings.ts';
export {
  EJECTED_SHARE_MAX,
  EJECTION_CAUSES,
  EJECTION_MAX_MS,
  type EjectionCause,
  type EjectionCell,
  eject,
  ejectedMax,
  ejectionRecord,
  ejectUntil,
  notEjected,
  readmit,
} from './ejection.ts';
export {
  ERRORS,
  type ErrorCode,
  type ErrorKind,
  type Fault,
  type Outdated,
  type Problem,
  problemOf,
  UsherError,
} from './errors.ts';
export type {
  CandidateReason,
  ExplainedArm,
  ExplainedBackend,
  Explanation,
  PolicyVerdict,
  Preference,
  RouteDecision,
  RouteQuestion,
  TierSource,
} from './explanation.ts';
export { fileWords } from './file-words.ts';
export {
  type CommandReceipt,
  type ConfigState,
  emptyFleet,
  type FleetState,
  type GatewayState,
  type GatewaySuspicion,
  GONE_GATEWAYS_MAX,
  type PoolState,
  RECEIPTS_MAX,
  SUPERSEDED_MAX,
} from './fleet.ts';
export { type Ballot, ballotOn, hasQuorum, type Standing, standingsOf, type Trust } from './fleet-votes.ts';
export {
  type BreakerSettings,
  type HealthCheck,
  type PassiveSettings,
  PROBE_METHODS,
  type ProbeMethod,
  type ProbeTiming,
} from './health-settings.ts';
export {
  type BreakerCell,
  type BreakerChange,
  type BreakerEvidence,
  breakerAdmits,
  breakerClose,
  breakerHalfOpen,
  breakerOpen,
  breakerRecord,
  breakerTick,
  breakerTrialEnded,
  closedBreaker,
} from './local-breaker.ts';
export {
  type AdaptiveSample,
  type AdaptiveState,
  isEnough,
  limitNow,
  newAdaptive,
  nextAdaptive,
} from './overload/adaptive-limit.ts';
export {
  linePressure,
  NO_PRESSURE,
  nextPressure,
  type Pressure,
  type PressureLevel,
  type PressureSettings,
  pressureLevel,
} from './overload/pressure.ts';
export {
  type AdaptiveSettings,
  PRIORITIES,
  type Priority,
  RATE_SCOPES,
  type RateKey,
  type RateLimitSettings,
} from './overload-settings.ts';
export { PATH_PATTERN_LENGTH_MAX, PathTable, pathPatternFault } from './path-table.ts';
export { type Bucket, keptAhead, pauseAfterEmpty, takeFrom, untilNext } from './rate/bucket.ts';
export {
  type ExplainedCandidate,
  type ExplainedDecision,
  explainResource,
} from './resource/explain-resource.ts';
export type { Fit, FitReason, Shortage } from './resource/fit.ts';
export { idleCores, NO_FACTS, type ResourceBackend, type ResourceFacts } from './resource/machine.ts';
export { distanceKm, onSphere, type Place, placeOn, type SpherePoint } from './resource/place.ts';
export { lacking, reservable } from './resource/reservable.ts';
export { REPORT_WINDOW_MS, ReservedHistory } from './resource/reserved-history.ts';
export { type ResourceRequest, ResourceTable } from './resource/resource-table.ts';
export { DEFAULT_SCORING, type ScoreParts, type ScoringSettings } from './resource/score.ts';
export { DIMENSIONS, type Dimension, NO_RESOURCES, type Tier } from './resource/tier.ts';
export { detectTier, fieldOf, jsonField, type TierClaims } from './resource/tier-detection.ts';
export { RetryBudget } from './retry-budget.ts';
export { explainRoutes, inMatchOrder, RouteMatcher, type RouteVerdict } from './route-match.ts';
export { REDACTED, tellsSecret } from './secret-name.ts';
export {
  type BackendSettings,
  type BackendTlsSettings,
  BUILT_IN_STRATEGIES,
  type ClientLocationSettings,
  type EndpointSettings,
  type HashSettings,
  type LimitSettings,
  type PluginSettings,
  type PolicySettings,
  type PoolSettings,
  PROXY_PROTOCOLS,
  type ProxyProtocol,
  type QueueSettings,
  RESERVE_IDLE_MS,
  RESERVE_MODES,
  type ReserveMode,
  type RetrySettings,
  type RouteSettings,
  type SharedSettings,
  STORELESS_MODES,
  STRATEGY_NAMES,
  type StorelessMode,
  type StrategyName,
  type TargetSettings,
  type TierDetection,
  type TimeoutSettings,
  WEIGHT_MAX,
} from './settings.ts';
export {
  SAME_SITES,
  SECURE_MODES,
  STICKY_MOVE_REASONS,
  type StickyCookieSettings,
  type StickyMoveReason,
  type StickySettings,
} from './sticky-settings.ts';
export { Custom, type CustomStrategy } from './strategies/custom.ts';
export { explainChoice, peek } from './strategies/explain-choice.ts';
export { FastRandom } from './strategies/fast-random.ts';
export { hashOf } from './strategies/hash.ts';
export { STRATEGIES } from './strategies/registry.ts';
export { warmth } from './strategies/slow-start.ts';
export {
  type Answer,
  type Ask,
  type Candidate,
  type CandidatePool,
  type ChoiceCells,
  type Chooser,
  type Features,
  type Measures,
  NO_FEATURES,
  newCells,
  type Strategy,
  type StrategySettings,
  setCandidates,
  type Uniform,
} from './strategies/strategy.ts';
export {
  type ArmDecision,
  type ArmFacts,
  type ArmSettings,
  type CanarySettings,
  decideArm,
  exceedsWhole,
  type MirrorSettings,
  pointOf,
  poolsNamedBy,
  poolsOf,
  type SplitSettings,
} from './traffic/arms.ts';
export { uneditable } from './traffic/header-names.ts';
export { isPlainPath, plainPaths } from './traffic/plain-path.ts';
export { rewritten } from './traffic/rewrite-path.ts';
export { Template, unknownVariable, VARIABLES, type Variable } from './traffic/template.ts';
export {
  type ApiKeySettings,
  type ClientListSettings,
  type CorsSettings,
  type HeaderEditSettings,
  REDIRECT_STATUSES,
  REQUEST_ID_TRUST,
  type RedirectSettings,
  type RequestIdSettings,
  type RewriteSettings,
  type SecurityHeaderSettings,
  TOKEN_ALGORITHMS,
  type TokenKeySettings,
  type TokenSettings,
  type TrafficSettings,
} from './traffic/traffic-settings.ts';
