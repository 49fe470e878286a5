import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { auditReservations, type ReservationReport } from '@usher/actors';
import type { UsherEvent } from '@usher/events';
import type { StateStore } from '@usher/ports';
import { openRedisStore } from '@usher/state-store';
import { insist, RecordingLog, startRedisServer, tempDir, wallClock } from '@usher/testing';
import { BACKENDS } from './setting.ts';

const GATEWAYS = 4;
const CHECK_EVERY_MS = 20;
const LIFE_MS = 6_000;
/** Beyond the end of the leases of all gateways. */
const END_LIMIT_MS = 60_000;
const ENTRY = fileURLToPath(new URL('./gateway-process.ts', import.meta.url));

export interface KilledGateways {
  readonly operations: number;
  readonly kills: number;
  readonly checks: number;
  /** The most allocations that there were at a check. */
  readonly most: number;
  readonly wrong: readonly string[];
  readonly left: number;
  readonly audit: ReservationReport;
}

/** Gateways in processes of their own reserve over one Redis, and are killed and replaced one after the other. */
export async function killedGateways(operations: number): Promise<KilledGateways> {
  const directory = tempDir();
  const server = await startRedisServer();
  const store = await openRedisStore({ url: server.url, clock: wallClock, log: new RecordingLog() });
  const seen = { operations: 0, kills: 0, checks: 0, most: 0, wrong: [] as string[] };
  const children: ChildProcess[] = [];
  let started = 0;
  const launch = (): ChildProcess => {
    const name = `gw-${started++}`;
    const file = path.join(directory.path, `${name}.jsonl`);
    const args = [ENTRY, name, server.url, file, String(started)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface(child.stdout).on('line', (line) => {
      seen.operations += Number(line);
    });
    return child;
  };
  try {
    for (let each = 0; each < GATEWAYS; each++) children.push(launch());
    let killMs = performance.now() + LIFE_MS;
    while (seen.operations < operations) {
      const held = await check(store, seen.wrong);
      seen.checks += 1;
      seen.most = Math.max(seen.most, held);
      if (performance.now() > killMs) {
        killMs = performance.now() + LIFE_MS / GATEWAYS;
        await end(children.shift()!);
        seen.kills += 1;
        children.push(launch());
      }
      await sleep(CHECK_EVERY_MS);
    }
    for (const child of children) await end(child);
    const left = await emptied(store);
    return { ...seen, left, audit: auditReservations(toldIn(directory.path)) };
  } finally {
    for (const child of children) await end(child);
    await store.close();
    await server.stop();
    directory.remove();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Compares sums with allocations and capacities at one moment; answers with how many allocations there are. */
async function check(store: StateStore, wrong: string[]): Promise<number> {
  const { allocations, used } = await insist(() => store.reservations.list('web'));
  for (const [backend, cores] of Object.entries(BACKENDS)) {
    const here = allocations.filter((held) => held.backend === backend);
    const sum = here.reduce((total, { resources }) => total + resources.milliCpu, 0);
    const counted = used.get(backend)?.resources.milliCpu ?? 0;
    if (counted !== sum) wrong.push(`${backend} counts ${counted} of ${sum}`);
    if (sum > 1000 * cores) wrong.push(`${backend} has ${sum} of ${1000 * cores}`);
  }
  return allocations.length;
}

/** How much is left when all gateways are gone and what they held has been swept. */
async function emptied(store: StateStore): Promise<number> {
  const deadlineMs = performance.now() + END_LIMIT_MS;
  for (;;) {
    await insist(() => store.reservations.sweep('web', 1_000));
    const { allocations, used } = await insist(() => store.reservations.list('web'));
    if (allocations.length + used.size === 0 || performance.now() > deadlineMs) return allocations.length;
    await sleep(200);
  }
}

/** What all gateways told, one after the other: an order that is as wrong as can be. */
function* toldIn(directory: string): Generator<UsherEvent> {
  if (!existsSync(directory)) return;
  for (const file of readdirSync(directory)) {
    const lines = readFileSync(path.join(directory, file), 'utf8').split('\n');
    // The last one may have broken off.
    for (const line of lines) if (line.endsWith(']')) yield* JSON.parse(line) as UsherEvent[];
  }
}
