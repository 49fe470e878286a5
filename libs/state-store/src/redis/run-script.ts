import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

/** A script that runs often: the server knows it by its digest. */
export interface Script {
  readonly source: string;
  readonly digest: string;
}

export function script(source: string): Script {
  return { source, digest: createHash('sha1').update(source).digest('hex') };
}

/** Runs a script on a server that was given it before. */
export type RunScript = (
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<unknown>;

/** Gives the server scripts, so that running one sends its digest only. */
export async function loadScripts(redis: Redis, scripts: readonly Script[]): Promise<void> {
  await Promise.all(scripts.map(({ source }) => redis.script('LOAD', source)));
}

/** Runs a script by its digest, and only if someone made the server forget it by its source. */
export async function runScript(
  redis: Redis,
  { source, digest }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(digest, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return redis.eval(source, keys.length, ...keys, ...args);
  }
}
