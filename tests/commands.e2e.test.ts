import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMMANDS } from '../cli/src/commands.ts';
import { findVerb } from '../cli/src/verbs/find-verb.ts';
import type { Result } from './support/command.ts';
import { UsherProcess } from './support/usher-process.ts';
import { until } from './support/wait.ts';

const CONFIG = `logging: { level: error }
pools:
  web:
    health: { type: none }
    drain: 0s
    backends: [{ id: a, url: "http://10.0.0.1:80" }, { id: b, url: "http://10.0.0.2:80" }]
  held:
    health: { type: none }
    sticky: { by: header, name: X-User }
    tiers: [{ name: small, memory: 1MiB }]
    reserve: session
    backends: [{ id: h, url: "http://10.0.0.3:80", capacity: { memory: 1GiB } }]
routes: [{ id: all, path: "/*", pool: web }, { id: held, path: "/held/*", pool: held }]
`;

let directory: ReturnType<typeof tempDir>;
let running: UsherProcess;
/** A file that differs from that of the process by the weight of a backend and the order of its routes. */
let other: string;
/** Verbs that were run. */
const covered = new Set<string>();
/** Those of them that were run with a revision that is not the present one. */
const conditional = new Set<string>();

beforeAll(async () => {
  directory = tempDir();
  running = await UsherProcess.start({ directory: directory.path, config: CONFIG });
  other = path.join(directory.path, 'other.yaml');
  const text = readFileSync(running.configFile, 'utf8');
  const reordered = text.replace(
    /routes: \[(.*\}), (.*\})\]/,
    (_all, one: string, two: string) => `routes: [${two}, ${one}]`,
  );
  writeFileSync(other, reordered.replace('id: b,', 'id: b, weight: 3,'));
});

afterAll(async () => {
  await running.kill9();
  directory.remove();
});

/** Words of a command line; what holds blanks stands in quotes. */
function wordsOf(line: string): string[] {
  return (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'|'$/g, ''));
}

function verbOf(line: string): string {
  return findVerb(COMMANDS, wordsOf(line)).entry.verb.name;
}

async function run(line: string): Promise<Result> {
  covered.add(verbOf(line));
  return await running.run(...wordsOf(line));
}

interface Accepted {
  readonly position: number;
  readonly events: readonly string[];
  readonly repeated: boolean;
}

async function accepted(line: string): Promise<Accepted> {
  const { code, stdout, stderr } = await run(`${line} --json`);
  expect([line, code, stderr]).toEqual([line, 0, '']);
  return JSON.parse(stdout) as Accepted;
}

/** A change and the events that it leads to; answers with where they are. */
async function does(line: string, ...events: readonly string[]): Promise<number> {
  const answer = await accepted(line);
  expect([line, answer]).toEqual([line, { position: answer.position, events, repeated: false }]);
  return answer.position;
}

/** Runs a command line in this process, where starting takes no time, and gives back what it prints. */
async function runHere(line: string): Promise<string> {
  const printed: string[] = [];
  const io = {
    env: {},
    cwd: directory.path,
    hostname: 'here',
    commandLine: [],
    out: (text: string) => printed.push(text),
    err: (text: string) => printed.push(text),
  };
  const { entry, rest } = findVerb(COMMANDS, wordsOf(line));
  await entry.run([...rest, '--config', running.configFile], io);
  return printed.join('\n');
}

/**
 * As `does`; before that it is refused for a revision that was never there, and after it the same command changes nothing. `backends
 * add` has its `--id` for something else.
 */
async function doesOnce(line: string, ...events: readonly string[]): Promise<void> {
  await expect(runHere(`${line} --if-revision 999999`), line).rejects.toThrow(
    /is at revision \d+, not 999999$/,
  );
  conditional.add(verbOf(line));
  const named = line.startsWith('backends add')
    ? line
    : `${line} --id '${line.replaceAll("'", '').slice(0, 90)}'`;
  const position = await does(named, ...events);
  if (named !== line)
    expect([line, JSON.parse(await runHere(`${named} --json`))]).toEqual([
      line,
      { position, events, repeated: true },
    ]);
}

/** A read, and what it has in its text. */
async function shows(line: string, ...texts: readonly (string | RegExp)[]): Promise<void> {
  const { code, stdout, stderr } = await run(line);
  expect([line, code, stderr]).toEqual([line, 0, '']);
  for (const text of texts) expect(stdout).toMatch(text);
}

/** A change that is refused with a sentence and changes nothing. */
async function refused(line: string, code: number, sentence: string | RegExp): Promise<void> {
  const before = await revision();
  const result = await run(line);
  expect([line, result.code, result.stdout]).toEqual([line, code, '']);
  expect(result.stderr).toMatch(sentence);
  expect([line, await revision()]).toEqual([line, before]);
}

/** Of the configuration as a whole, which every change of a part moves on. */
async function revision(): Promise<number> {
  const answer = await fetch(`${running.admin}/v1/config`);
  return ((await answer.json()) as { revision: number }).revision;
}

async function ofBackends(): Promise<void> {
  await doesOnce('backends add --pool web --id c --url http://10.0.0.9:80', 'backend.registered');
  await doesOnce('backends update c --url http://10.0.0.8:80 --zone z', 'backend.updated');
  await doesOnce('weight c 2.5', 'backend.updated');
  await shows('backends --pool web', /web +c +http:\/\/10\.0\.0\.8:80 +2\.5 +ok/);
  await doesOnce('drain c --deadline 0', 'backend.drain_started');
  await doesOnce('enable c', 'backend.enabled');
  await doesOnce('disable c', 'backend.disabled');
  await doesOnce('breakers reset c', 'breaker.closed');
  await shows('breakers', /\bc\b/);
  await doesOnce('backends remove c', 'backend.drain_started');
  await until('it has gone', async () => (await fetch(`${running.admin}/v1/backends/c`)).status === 404);
}

async function ofPools(): Promise<void> {
  await doesOnce('pools add api --setting drainMs=5', 'pool.added');
  await doesOnce('pools update api --setting breaker.failures=3 --setting queue=null', 'pool.updated');
  await doesOnce('pools strategy api maglev', 'pool.updated');
  await doesOnce(
    `pools tiers api '[{"name":"s","resources":{"milliCpu":1,"memoryBytes":0,"storageBytes":0,"gpus":0,"gpuMemoryBytes":0}}]'`,
    'pool.updated',
  );
  await shows('pools', /api +maglev/);
  await doesOnce('pools remove api', 'pool.removed');
  await doesOnce('sticky clear held --client mara', 'sticky.cleared');
  await doesOnce('allocations purge held --backend h', 'allocations.purged');
}

async function ofRoutes(): Promise<void> {
  await doesOnce('routes add login --path /login --pool web --host a.example', 'route.added');
  await doesOnce('routes update login --setting path=/enter --setting host=null', 'route.updated');
  await shows('routes', /login/, /\/enter/);
  await shows(`route explain 'GET http://a.example/enter'`, /login/);
  await doesOnce('routes remove login', 'route.removed');
  await doesOnce('limits --setting connections=77', 'limits.updated');
}

async function reads(): Promise<void> {
  await shows('status', /position/);
  await shows('events --limit 3', /./);
  await shows('events tail --after 0 --limit 1', /./);
  await shows('events export --limit 1', /^\{"position":1,/);
}

test('every kind of thing is changed and read from the command line, and answers name the events', async () => {
  await Promise.all([ofBackends(), ofPools()]);
  await Promise.all([ofRoutes(), reads()]);
});

test('a whole configuration is compared, applied and taken back; both ways to compare tell the same', async () => {
  const before = await revision();
  await shows('config', '"limits"');
  const lines = ['backends.b.weight: 1 → 3', 'routes: ["all","held"] → ["held","all"]'];
  const [diff, check] = await Promise.all([
    run(`config diff ${other}`),
    run(`check ${other} --against running`),
  ]);
  for (const { code, stdout, stderr } of [diff, check]) {
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(lines));
  }
  expect(check.stdout).toBe(diff.stdout);
  await doesOnce(`config apply ${other}`, 'config.applied', 'backend.updated');
  expect(await run(`config diff ${other}`)).toMatchObject({ code: 0, stdout: 'nothing would change\n' });
  await doesOnce(`config revert ${before}`, 'config.applied', 'backend.updated');
});

test('a change that is based on an old revision ends with 1, and what has changed since is printed', async () => {
  const seen = await revision();
  const position = await does('weight a 4', 'backend.updated');
  const changed = `is at revision ${position}, not ${seen} (conflict)\n`;
  const late = (line: string) => run(`${line} --if-revision ${seen}`);
  const [one, whole, pool] = await Promise.all([
    late('disable a'),
    late('limits --setting upgrades=5'),
    late('pools strategy web random'),
  ]);
  expect([one.code, one.stdout]).toEqual([1, '']);
  expect(one.stderr).toContain(`backend a ${changed}  weight: 1 → 4\n`);
  expect([whole.code, whole.stdout]).toEqual([1, '']);
  expect(whole.stderr).toContain(`the configuration ${changed}  backends.a.weight: 1 → 4\n`);
  // The pool is as it was when it was declared, which lies before.
  expect([pool.code, pool.stdout]).toEqual([1, '']);
  expect(pool.stderr).toMatch(/^usher: pool web is at revision \d+, not \d+ \(conflict\)\n$/);
});

test('a command that is sent again with its id changes nothing, and says so', async () => {
  const line = 'weight b 7 --id once';
  const position = await does(line, 'backend.updated');
  await does('weight b 1', 'backend.updated');
  const before = await revision();
  expect(await run(line)).toMatchObject({ code: 0, stdout: `done before, at position ${position}\n` });
  const again = JSON.parse((await run(`${line} --json`)).stdout) as object;
  expect(again).toMatchObject({ position, repeated: true });
  await refused('weight b 8 --id once', 1, /\(conflict\)/);
  expect(await revision()).toBe(before);
});

test('what makes no sense is refused in a sentence: by 2 as typed, by 1 as the fleet is', async () => {
  await refused('weight a many', 2, /weight takes a number that is not negative, not many/);
  await refused('pools strategy web fastest', 2, /one of .*p2c.*, not fastest/);
  await refused('backends remove nobody', 1, 'there is no backend nobody (not_found)');
  await refused('routes add r --path /r --pool nobody', 1, /there is no pool nobody \(invalid_input\)/);
  await refused('pools remove web', 1, /pool web still has .* \(conflict\)/);
});

function taking(option: string): string[] {
  return COMMANDS.filter(({ verb }) => option in verb.options).map(({ verb }) => verb.name);
}

test('no verb that needs a running system is left out here', () => {
  expect([...covered].toSorted()).toEqual(taking('admin').toSorted());
  expect([...conditional].toSorted()).toEqual(taking('if-revision').toSorted());
});
