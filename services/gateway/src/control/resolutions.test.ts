import { RecordingLog, SimulatedClock } from '@usher/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { Resolutions } from './resolutions.ts';

/** Answers lookups when the test says so. */
class FakeResolver {
  readonly pending: { readonly host: string; answer(ips: readonly string[]): void; fail(): void }[] = [];
  asked = 0;

  lookup(host: string): Promise<readonly string[]> {
    this.asked += 1;
    return new Promise((resolve, reject) => {
      const settle = (what: () => void): void => {
        this.pending.splice(this.pending.indexOf(one), 1);
        what();
      };
      const one = {
        host,
        answer: (ips: readonly string[]) => settle(() => resolve(ips)),
        fail: () => settle(() => reject(new Error(`getaddrinfo ENOTFOUND ${host}`))),
      };
      this.pending.push(one);
    });
  }
}

let resolver: FakeResolver;
let clock: SimulatedClock;
let log: RecordingLog;
let changes: string[];
let resolutions: Resolutions;

beforeEach(() => {
  resolver = new FakeResolver();
  clock = new SimulatedClock();
  log = new RecordingLog();
  changes = [];
  const onChange = (host: string, ips: readonly string[]) => void changes.push(`${host}=${ips.join('+')}`);
  resolutions = new Resolutions({ resolver, clock, log, onChange });
});

/** Lets promises that are settled take effect. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

async function answer(...ips: string[]): Promise<void> {
  resolver.pending[0]?.answer(ips);
  await settle();
}

async function fail(): Promise<void> {
  resolver.pending[0]?.fail();
  await settle();
}

async function advance(ms: number): Promise<void> {
  clock.advance(ms);
  await settle();
}

const warnings = () => log.entries.filter(({ level }) => level === 'warn').map(({ message }) => message);

describe('a host name', () => {
  test('is looked up at once and every 30 seconds, and tells only what changed', async () => {
    resolutions.follow(new Set(['a']));
    await answer('10.0.0.1', '10.0.0.2');
    await advance(29_999);
    expect(resolver.pending).toEqual([]);
    await advance(1);
    await answer('10.0.0.2', '10.0.0.1');
    await advance(30_000);
    await answer('10.0.0.2');
    expect(changes).toEqual(['a=10.0.0.1+10.0.0.2', 'a=10.0.0.2']);
  });

  test('that does not resolve is warned of once and looked up every two seconds until it does', async () => {
    resolutions.follow(new Set(['a']));
    await fail();
    for (let round = 0; round < 3; round++) {
      await advance(2_000);
      await fail();
    }
    expect(warnings()).toEqual(['a host name does not resolve; its backends are down']);
    expect(resolutions.known.get('a')).toEqual([]);
    await advance(2_000);
    await answer('10.0.0.1');
    expect(changes).toEqual(['a=10.0.0.1']);
  });

  test('that stops resolving keeps its addresses', async () => {
    resolutions.follow(new Set(['a']));
    await answer('10.0.0.1');
    await advance(30_000);
    await fail();
    expect(warnings()).toEqual(['a host name does not resolve; its backends stay at their last addresses']);
    expect([...resolutions.known]).toEqual([['a', ['10.0.0.1']]]);
    expect(changes).toHaveLength(1);
  });

  test('is looked up sooner when a connection to it failed, but not more than once a second', async () => {
    resolutions.follow(new Set(['a']));
    await answer('10.0.0.1');
    await advance(500);
    resolutions.hurry('a');
    expect(resolver.pending).toEqual([]);
    await advance(500);
    resolutions.hurry('a');
    resolutions.hurry('a');
    expect(resolver.pending).toHaveLength(1);
    await answer('10.0.0.9');
    expect(changes).toEqual(['a=10.0.0.1', 'a=10.0.0.9']);
    await advance(29_999);
    expect(resolver.asked).toBe(2);
  });

  test('that nobody needs any more is not looked up, and a late answer is ignored', async () => {
    resolutions.follow(new Set(['a']));
    resolutions.follow(new Set());
    await answer('10.0.0.1');
    await advance(60_000);
    expect([changes, resolver.asked]).toEqual([[], 1]);
    resolutions.hurry('a');
    expect(resolver.pending).toEqual([]);
  });
});

test('names are looked up two at a time, so that those that hang leave threads to others', async () => {
  resolutions.follow(new Set(['a', 'b', 'c']));
  expect(resolver.pending.map(({ host }) => host)).toEqual(['a', 'b']);
  await answer('10.0.0.1');
  expect(resolver.pending.map(({ host }) => host)).toEqual(['b', 'c']);
});

test('who waits for all names is not kept longer than allowed', async () => {
  const settled: string[] = [];
  resolutions.follow(new Set(['a', 'b']));
  void resolutions.settled(1_000).then(() => settled.push('in time'));
  await answer('10.0.0.1');
  await settle();
  expect(settled).toEqual([]);
  await fail();
  expect(settled).toEqual(['in time']);
  resolutions.follow(new Set(['c']));
  void resolutions.settled(1_000).then(() => settled.push('late'));
  await advance(1_000);
  expect(settled).toEqual(['in time', 'late']);
});
