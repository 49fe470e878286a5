export { makeCertificate, type TestCertificate, type TestCertificateOptions } from './certificate.ts';
export { type CityEntry, cityDatabase } from './city-database.ts';
export { TestDnsServer, type TestRecords } from './dns-server.ts';
export { testEventLog } from './event-log-contract.ts';
export {
  type EventLogHarness,
  follow,
  idsOf,
  latencyEvents,
  recordsOf,
} from './event-log-harness.ts';
export { EVERY_SHARED_KEY } from './every-key.ts';
export { insist } from './insist.ts';
export { LEASES_ONLY } from './leases-only.ts';
export { MemoryEventLog, MemoryStorage } from './memory-event-log.ts';
export { type BusHarness, testMessageBus } from './message-bus-contract.ts';
export { startNatsCluster } from './nats-cluster.ts';
export { type NatsServer, startNatsServer } from './nats-server.ts';
export { type LogEntry, RecordingLog } from './recording-log.ts';
export { type RedisServer, startRedisServer } from './redis-server.ts';
export { reservationStorm, type StormOptions, type StormResult } from './reservation-storm.ts';
export { seededRandom } from './seeded-random.ts';
export { hmacSigner, part, type Signer, signedToken, type TokenKey, tokenKey } from './signed-token.ts';
export { SimulatedClock } from './simulated-clock.ts';
export { type StateStoreSubject, testStateStore } from './state-store-contract.ts';
export { tempDir } from './temp-dir.ts';
export { wallClock } from './wall-clock.ts';
