import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

export const ROOT = path.resolve(import.meta.dirname, '../..');

export function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

export function readYaml(file: string): unknown {
  return parse(read(file), { merge: true });
}

const duration = z.string().regex(/^\d+(ms|s|m)$/);
const text = z.string().min(1);

const healthcheck = z.strictObject({
  test: z.array(z.string()).refine(([kind]) => kind === 'CMD', 'runs without a shell'),
  interval: duration,
  timeout: duration,
  retries: z.number().int().positive(),
});

const service = z.strictObject({
  image: z.string().regex(/^[a-z0-9/-]+(:[\w.-]+)?$/),
  build: z.strictObject({ context: text, dockerfile: text }).optional(),
  command: z.array(z.string()).default([]),
  hostname: text.optional(),
  environment: z.record(z.string(), z.string()).optional(),
  ports: z.array(z.string().regex(/^(127\.0\.0\.1:)?\d+:\d+$/)).default([]),
  volumes: z.array(z.string().regex(/^[\w./-]+:\/[\w./-]+(:ro)?$/)).default([]),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.literal('service_healthy') })).default({}),
  healthcheck: healthcheck.optional(),
  profiles: z.array(text).optional(),
  restart: z.literal('unless-stopped'),
  stop_grace_period: duration.optional(),
  cap_drop: z.array(z.literal('ALL')).optional(),
  security_opt: z.array(z.literal('no-new-privileges:true')).optional(),
  ulimits: z.strictObject({ nofile: z.strictObject({ soft: z.number(), hard: z.number() }) }).optional(),
});

export type ComposeService = z.infer<typeof service>;

/** The part of the Compose file format that the project uses; a key outside it is more likely misspelt than meant. */
const compose = z.looseObject({
  name: text,
  services: z.record(z.string().regex(/^[a-z][a-z0-9-]*$/), service),
  volumes: z.record(z.string(), z.null()),
});

/** Reads `docker-compose.yml`; throws what is wrong with its form. */
export function readCompose(): z.infer<typeof compose> {
  const file = compose.parse(readYaml('docker-compose.yml'));
  const extra = Object.keys(file).filter((key) => !/^(name|services|volumes|x-.*)$/.test(key));
  if (extra.length > 0) throw new Error(`docker-compose.yml: unknown ${extra.join(', ')}`);
  return file;
}
