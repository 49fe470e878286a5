import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Certificate } from './certificate.ts';
import { freePort } from './child.ts';
import { type Alter, haproxyConfig, nginxProxyConfig, usherConfig } from './configs.ts';
import { findPrograms, versionOf } from './programs.ts';

/** What to run, once its files are written. */
export interface Prepared {
  readonly command: readonly string[];
  readonly version: string;
}

export interface Where {
  /** Where the proxy listens for traffic. */
  readonly port: number;
  readonly backendPorts: readonly number[];
  /** What the proxy speaks TLS with; undefined when it speaks plain HTTP. */
  readonly certificate: Certificate | undefined;
  /** A directory of the proxy's own. */
  readonly directory: string;
}

export type Prepare = (where: Where) => Promise<Prepared> | Prepared;

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * The proxies that are compared, in the order in which they take turns. All alike: one thread or worker on the proxy's
 * core, keep-alive on both sides, least connections, X-Forwarded-For and a request id set, access log off.
 */
export const PROXIES = {
  usher: async (where: Where) => await prepareUsher(where),
  haproxy: prepareHaproxy,
  nginx: prepareNginx,
  undici: prepareUndici,
} as const satisfies Record<string, Prepare>;

export type ProxyName = keyof typeof PROXIES;

/** `alter` changes the configuration that all benchmarks compare with the other proxies. */
export async function prepareUsher(where: Where, alter: Alter = (plain) => plain): Promise<Prepared> {
  const file = path.join(where.directory, 'usher.yaml');
  writeFileSync(file, usherConfig(where, await freePort(), await freePort(), alter));
  const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  return { command: [path.join(ROOT, 'bin', 'usher'), 'run', '--config', file], version };
}

function prepareHaproxy(where: Where): Prepared {
  const { haproxy } = findPrograms(['haproxy']);
  const file = path.join(where.directory, 'haproxy.cfg');
  writeFileSync(file, haproxyConfig(where));
  return { command: [haproxy, '-db', '-f', file], version: versionOf(haproxy, '-v') };
}

function prepareNginx(where: Where): Prepared {
  const { nginx } = findPrograms(['nginx']);
  const file = path.join(where.directory, 'nginx.conf');
  writeFileSync(file, nginxProxyConfig(where));
  return { command: [nginx, '-c', file, '-e', 'stderr'], version: versionOf(nginx, '-v') };
}

/** The proxy that one would write on Node's own server and undici: what Usher's wire lane has to beat to be worth it. */
function prepareUndici({ port, backendPorts, certificate }: Where): Prepared {
  const file = fileURLToPath(new URL('undici-proxy.ts', import.meta.url));
  const ports = [port, ...backendPorts].map(String);
  const command = [process.execPath, file, certificate?.both ?? '-', ...ports];
  return { command, version: `Node ${process.versions.node}` };
}
