export { openEmbeddedStore } from './embedded/embedded-store.ts';
export { examineRedis, type RedisExamination } from './redis/examine.ts';
export { openRedisStore, type RedisStoreOptions } from './redis/redis-store.ts';
