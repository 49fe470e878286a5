export { openEmbeddedStore } from './embedded/embedded-store.ts';
export { openRedisStore, type RedisStoreOptions } from './redis/redis-store.ts';
