import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Certificate, makeCertificate } from './certificate.ts';
import { freePort, type Server, startServer } from './child.ts';
import { backendConfig } from './configs.ts';
import { machine } from './machine.ts';
import { type Options, readOptions } from './options.ts';
import { usageOf } from './process-usage.ts';
import { PROFILES, type Profile, type ProfileName } from './profiles.ts';
import { type Cores, findPrograms, pickCores } from './programs.ts';
import { PROXIES, type ProxyName } from './proxies.ts';
import { asMarkdown, save } from './report.ts';
import { type Measurement, type Result, summarize } from './results.ts';
import { CONNECTIONS, load } from './wrk.ts';

const BACKENDS = 2;
const WARM_UP_SECONDS = 2;

/** What stays the same during a run. */
interface Bench {
  readonly options: Options;
  readonly cores: Cores;
  readonly wrk: string;
  readonly nginx: string;
  readonly directory: string;
  readonly certificate: Certificate;
}

interface Contender {
  readonly name: ProxyName;
  readonly version: string;
  readonly url: string;
  readonly server: Server;
  readonly measurements: Measurement[];
}

/**
 * Usher beside HAProxy, nginx and node:http with undici, in one run. The proxies take turns (A B C D A B C D …), so
 * that whatever else changes on the machine changes for all of them.
 */
export async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  const { wrk, nginx, openssl } = findPrograms(['wrk', 'nginx', 'taskset', 'haproxy', 'openssl']);
  const directory = mkdtempSync(path.join(tmpdir(), 'usher-bench-'));
  const certificate = makeCertificate(openssl, directory);
  const bench: Bench = { options, cores: pickCores(), wrk, nginx, directory, certificate };
  const results: Result[] = [];
  try {
    for (const profile of options.profiles) results.push(await measureProfile(bench, profile));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const { seconds, rounds } = options;
  const report = {
    machine: machine(),
    setup: { seconds, rounds, connections: CONNECTIONS, backends: BACKENDS },
    results,
  };
  console.log(options.json ? JSON.stringify(report, null, 2) : asMarkdown(report));
  if (options.save) console.error(`wrote ${save(report)}`);
}

async function measureProfile(bench: Bench, name: ProfileName): Promise<Result> {
  const { options, cores, nginx, directory } = bench;
  const profile = PROFILES[name];
  const servers: Server[] = [];
  try {
    const backendPorts = [];
    for (let index = 0; index < BACKENDS; index++) backendPorts.push(await freePort());
    const backendDirectory = ownDirectory(directory, `${name}-backend`);
    const file = path.join(backendDirectory, 'nginx.conf');
    writeFileSync(file, backendConfig(profile, backendPorts, backendDirectory));
    const command = [nginx, '-c', file, '-e', 'stderr'];
    const output = path.join(backendDirectory, 'output');
    servers.push(await startServer(cores.load, command, `http://127.0.0.1:${backendPorts[0]}/`, output));
    const contenders: Contender[] = [];
    for (const proxy of options.proxies) {
      const contender = await enter(bench, proxy, backendPorts, name);
      servers.push(contender.server);
      contenders.push(contender);
    }
    await takeTurns(bench, name, contenders);
    return summarize(profile.title, contenders);
  } finally {
    for (const server of servers.toReversed()) await server.stop();
  }
}

async function enter(
  bench: Bench,
  name: ProxyName,
  backendPorts: readonly number[],
  profileName: ProfileName,
): Promise<Contender> {
  const { cores, directory } = bench;
  const profile: Profile = PROFILES[profileName];
  const own = ownDirectory(directory, `${profileName}-${name}`);
  const port = await freePort();
  const certificate = profile.tls === true ? bench.certificate : undefined;
  const { command, version } = await PROXIES[name]({ port, backendPorts, directory: own, certificate });
  const url = `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}${profile.path}`;
  const server = await startServer(cores.proxy, command, url, path.join(own, 'output'));
  return { name, version, url, server, measurements: [] };
}

async function takeTurns(
  { options, cores, wrk, directory }: Bench,
  name: ProfileName,
  contenders: Contender[],
) {
  const profile = PROFILES[name];
  for (const { url } of contenders) await load(wrk, cores.load, profile, url, WARM_UP_SECONDS, directory);
  for (let round = 1; round <= options.rounds; round++) {
    for (const { name: proxy, url, server, measurements } of contenders) {
      const before = usageOf(server.pid);
      const counted = await load(wrk, cores.load, profile, url, options.seconds, directory);
      const after = usageOf(server.pid);
      measurements.push({ ...counted, cpuUs: after.cpuUs - before.cpuUs, rssBytes: after.rssBytes });
      console.error(`${name} ${round}/${options.rounds} ${proxy}: ${perSecond(counted)} requests/s`);
    }
  }
}

function perSecond({
  requests,
  durationUs,
}: {
  readonly requests: number;
  readonly durationUs: number;
}): number {
  return Math.round((requests * 1e6) / durationUs);
}

function ownDirectory(parent: string, name: string): string {
  const directory = path.join(parent, name);
  mkdirSync(directory);
  return directory;
}
