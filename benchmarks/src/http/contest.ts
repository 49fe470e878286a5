import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Certificate, makeCertificate } from './certificate.ts';
import { freePort, type Server, startServer } from './child.ts';
import { backendConfig } from './configs.ts';
import { usageOf } from './process-usage.ts';
import type { Profile } from './profiles.ts';
import { type Cores, findPrograms } from './programs.ts';
import type { Prepare } from './proxies.ts';
import { type Measurement, type Result, summarize } from './results.ts';
import { load } from './wrk.ts';

export const BACKENDS = 2;
const WARM_UP_SECONDS = 2;

/** What stays the same during a run. */
export interface Arena {
  readonly cores: Cores;
  readonly wrk: string;
  readonly nginx: string;
  readonly directory: string;
  readonly certificate: Certificate;
}

/** A proxy that takes part. */
export interface Entrant {
  readonly name: string;
  readonly prepare: Prepare;
  /** How its traffic differs from that of the profile. */
  readonly traffic?: Partial<Profile>;
}

/** An entrant whose proxy runs. */
export interface Contender {
  readonly name: string;
  readonly version: string;
  readonly url: string;
  readonly profile: Profile;
  readonly server: Server;
}

/** Makes what a run needs and removes it afterwards. */
export async function withArena<T>(cores: Cores, use: (arena: Arena) => Promise<T>): Promise<T> {
  const { wrk, nginx, openssl } = findPrograms(['wrk', 'nginx', 'taskset', 'haproxy', 'openssl']);
  const directory = mkdtempSync(path.join(tmpdir(), 'usher-bench-'));
  try {
    return await use({ cores, wrk, nginx, directory, certificate: makeCertificate(openssl, directory) });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Runs the backends and all proxies. `label`: unique in the run and fit for a path. */
export async function withContenders<T>(
  arena: Arena,
  label: string,
  profile: Profile,
  entrants: readonly Entrant[],
  use: (contenders: readonly Contender[], backendPorts: readonly number[]) => Promise<T>,
): Promise<T> {
  const { cores, nginx } = arena;
  const parent = ownDirectory(arena.directory, label);
  const servers: Server[] = [];
  try {
    const backendPorts = [];
    for (let index = 0; index < BACKENDS; index++) backendPorts.push(await freePort());
    const own = ownDirectory(parent, 'backend');
    const file = path.join(own, 'nginx.conf');
    writeFileSync(file, backendConfig(profile, backendPorts, own, cores.load.length));
    const command = [nginx, '-c', file, '-e', 'stderr'];
    const url = `http://127.0.0.1:${backendPorts[0]}${profile.path}`;
    servers.push(await startServer(cores.load, command, url, path.join(own, 'output')));
    const contenders: Contender[] = [];
    for (const [index, entrant] of entrants.entries()) {
      const contender = await enter(
        arena,
        ownDirectory(parent, String(index)),
        profile,
        entrant,
        backendPorts,
      );
      servers.push(contender.server);
      contenders.push(contender);
    }
    return await use(contenders, backendPorts);
  } finally {
    for (const server of servers.toReversed()) await server.stop();
  }
}

/** The proxies take turns (A B C A B C …), so that whatever else changes on the machine changes for all of them. */
export async function compete(
  arena: Arena,
  label: string,
  profile: Profile,
  entrants: readonly Entrant[],
  {
    seconds,
    rounds,
    reference,
  }: { readonly seconds: number; readonly rounds: number; readonly reference: string },
): Promise<Result> {
  const { cores, wrk, directory } = arena;
  return await withContenders(arena, label, profile, entrants, async (contenders) => {
    for (const each of contenders) {
      await load(wrk, cores.load, each.profile, each.url, WARM_UP_SECONDS, directory);
    }
    const measured = contenders.map((each) => ({ ...each, measurements: [] as Measurement[] }));
    for (let round = 1; round <= rounds; round++) {
      for (const { name, url, profile: own, server, measurements } of measured) {
        const before = usageOf(server.pid);
        const counted = await load(wrk, cores.load, own, url, seconds, directory);
        const after = usageOf(server.pid);
        measurements.push({ ...counted, cpuUs: after.cpuUs - before.cpuUs, rssBytes: after.rssBytes });
        const perSecond = Math.round((counted.requests * 1e6) / counted.durationUs);
        console.error(`${label} ${round}/${rounds} ${name}: ${perSecond} requests/s`);
      }
    }
    return summarize(profile.title, reference, measured);
  });
}

async function enter(
  arena: Arena,
  directory: string,
  general: Profile,
  { name, prepare, traffic }: Entrant,
  backendPorts: readonly number[],
): Promise<Contender> {
  const profile: Profile = { ...general, ...traffic };
  const port = await freePort();
  const certificate = profile.tls === true ? arena.certificate : undefined;
  const { command, version } = await prepare({ port, backendPorts, directory, certificate });
  const url = `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}${profile.path}`;
  const server = await startServer(
    arena.cores.proxy,
    command,
    url,
    path.join(directory, 'output'),
    profile.preamble,
  );
  return { name, version, url, profile, server };
}

function ownDirectory(parent: string, name: string): string {
  const directory = path.join(parent, name);
  mkdirSync(directory);
  return directory;
}
