/** What the sources of a workspace may import, tests excepted. */
export interface Allowed {
  /** Workspaces, by folder. */
  readonly workspaces: readonly string[];
  /** Outside packages; a trailing `/*` stands for every package of a scope. */
  readonly packages: readonly string[];
  /** Whether Node's own modules are allowed: not where state is folded or decided. */
  readonly node: boolean;
}

const PURE = { node: false };
const IMPURE = { node: true };
const CORE = ['libs/domain', 'libs/events', 'libs/ports'];
const SERVICE = {
  workspaces: [...CORE, 'libs/actors', 'libs/runtime'],
  packages: ['fastify'],
  ...IMPURE,
};

/**
 * The direction of dependencies: domain ← events ← ports ← adapters and runtime ← services ← cli. A service imports no
 * other service, and only the composition root imports the adapters. docs/architecture.md shows the same table.
 */
export const IMPORT_TABLE: Readonly<Record<string, Allowed>> = {
  'libs/domain': { workspaces: [], packages: [], ...PURE },
  'libs/events': { workspaces: ['libs/domain'], packages: ['zod'], ...PURE },
  'libs/ports': { workspaces: ['libs/domain', 'libs/events'], packages: [], ...PURE },
  'libs/actors': { workspaces: CORE, packages: ['xstate'], ...IMPURE },
  'libs/http1': { workspaces: ['libs/domain'], packages: [], ...IMPURE },
  'libs/event-log': { workspaces: CORE, packages: ['nats', '@nats-io/*'], ...IMPURE },
  'libs/state-store': { workspaces: ['libs/domain', 'libs/ports'], packages: ['ioredis'], ...IMPURE },
  'libs/config': { workspaces: CORE, packages: ['yaml', 'zod', 'ipaddr.js'], ...IMPURE },
  'libs/geoip': { workspaces: ['libs/domain'], packages: ['maxmind'], ...IMPURE },
  'libs/runtime': {
    workspaces: ['libs/domain', 'libs/ports'],
    packages: ['fastify', 'pino', 'prom-client'],
    ...IMPURE,
  },
  'libs/testing': { workspaces: CORE, packages: ['vitest', 'fast-check'], ...IMPURE },
  'services/gateway': {
    workspaces: [...SERVICE.workspaces, 'libs/config', 'libs/geoip', 'libs/http1'],
    packages: ['fastify', '@fastify/http-proxy', '@fastify/compress'],
    ...IMPURE,
  },
  'services/scheduler': { ...SERVICE, workspaces: [...SERVICE.workspaces, 'libs/config'] },
  'services/health': SERVICE,
  'services/collector': SERVICE,
  'services/agent': SERVICE,
  'services/admin': SERVICE,
  cli: {
    workspaces: [
      ...CORE,
      'libs/actors',
      'libs/config',
      'libs/event-log',
      'libs/geoip',
      'libs/runtime',
      'libs/state-store',
      'services/gateway',
      'services/scheduler',
      'services/health',
      'services/collector',
      'services/agent',
      'services/admin',
    ],
    packages: [],
    ...IMPURE,
  },
};

/** These may import any workspace, and no workspace imports them. */
export const OUTSIDE = ['benchmarks', 'simulation', 'tests', 'tools'];
