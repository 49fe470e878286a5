export { type BackendFiles, FaultyFileError } from './backend-files.ts';
export type { Clock, ClockReading, Random, Timer } from './clock.ts';
export {
  type Appended,
  ConflictError,
  type EventLog,
  type LogRecord,
  LogReplacedError,
  type LogStatus,
  LogUnavailableError,
  type Outbox,
  type Position,
  type RecordDraft,
  type Snapshot,
  type Tail,
} from './event-log.ts';
export type { Log, LogFields } from './log.ts';
export type { MessageBus, Offer, OfferedEndpoint, Refusal, Subscription } from './message-bus.ts';
export type { HistogramSample, Metrics, Sample } from './metrics.ts';
export type { RateBucket, RateBuckets, RateTaken } from './rate-buckets.ts';
export type {
  GivenBack,
  HeldAllocation,
  PoolReservations,
  RenewRequest,
  RenewResult,
  ReservationCandidate,
  ReservationRequest,
  ReservationResult,
  Reservations,
  Restored,
  RestoredAllocation,
  RestoreRequest,
  RestoreResult,
  Session,
} from './reservations.ts';
export type { ResolvedAddress, Resolver, ServiceRecord } from './resolver.ts';
export type { FleetView, Service, ServiceContext } from './service.ts';
export {
  type Lease,
  type LeaseResult,
  type StateStore,
  type StoreStatus,
  StoreUnavailableError,
} from './state-store.ts';
export type { StickyAssignment, StickyAssignments } from './sticky-assignments.ts';
export type { TlsCertificate, TlsMaterial, TlsSource } from './tls.ts';
