import { problemOf } from '@usher/domain';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentRig } from './testing/agent-rig.ts';

const registration = { pool: 'web', url: 'http://10.0.0.1:80', weight: 2 };

let rig: AgentRig;
beforeEach(() => {
  rig = new AgentRig();
});
afterEach(async () => {
  await rig.end();
});

const wishes = () => rig.asked.map(({ payload }) => (JSON.parse(payload) as { wish: string }).wish);
const refusal = (code: 'not_found' | 'forbidden', detail: string) =>
  JSON.stringify({ problem: problemOf(code, detail) });

describe('an agent that registers its backend', () => {
  test('does so before its first report, and takes it away when it stops', async () => {
    const agent = rig.start({ registration });
    await rig.second();
    expect(rig.asked[0]?.subject).toBe('usher.agents.web-1');
    expect(JSON.parse(rig.asked[0]?.payload ?? '')).toEqual({ wish: 'register', settings: registration });
    await rig.until(() => rig.published.length >= 3);
    await agent.stop();
    expect(wishes()).toEqual(['register', 'check', 'deregister']);
  });

  test('registers again when the fleet does not know it any more', async () => {
    rig.start({ registration });
    await rig.until(() => rig.published.length >= 2);
    rig.answer = async (question) => (question.includes('check') ? refusal('not_found', 'no web-1') : '{}');
    await rig.until(() => wishes().filter((wish) => wish === 'register').length === 2);
    rig.answer = async () => '{}';
    await rig.until(() => rig.published.length >= 30);
    expect(wishes().filter((wish) => wish === 'register').length).toBeLessThanOrEqual(3);
  });

  test('reports nothing while it is refused, says why, and tries on', async () => {
    rig.answer = async () => refusal('forbidden', 'pool web takes no agents');
    const agent = rig.start({ registration });
    await rig.until(() => rig.asked.length === 3);
    expect(rig.published).toEqual([]);
    expect(agent.fault()).toBe('pool web takes no agents');
    rig.answer = async () => '{}';
    await rig.until(() => agent.fault() === undefined);
  });

  test('has nothing to take away when it never got through', async () => {
    rig.answer = () => Promise.reject(new Error('nobody there'));
    const agent = rig.start({ registration });
    await rig.until(() => rig.asked.length > 0);
    await agent.stop();
    expect(new Set(wishes())).toEqual(new Set(['register']));
  });

  test('stops even when nobody takes the backend away', async () => {
    const agent = rig.start({ registration });
    await rig.until(() => rig.published.length > 0);
    rig.answer = () => Promise.reject(new Error('nobody there'));
    await agent.stop();
    expect(rig.log.entries.at(-1)?.message).toBe('agent: the backend could not be deregistered');
  });
});

test('an agent without a registration neither registers nor takes away', async () => {
  const agent = rig.start();
  await rig.until(() => rig.published.length >= 20);
  await agent.stop();
  expect(new Set(wishes())).toEqual(new Set(['check']));
});

test('a broken server is left alone for longer and longer, then tried once in half a minute', async () => {
  const triesMs: number[] = [];
  rig.answer = () => {
    triesMs.push(rig.clock.now());
    return Promise.reject(new Error('broken'));
  };
  rig.start({ registration });
  await rig.until(() => triesMs.length >= 12);
  const gapsMs = triesMs.slice(1).map((ms, i) => ms - (triesMs[i] ?? 0));
  expect(gapsMs[0]).toBeLessThanOrEqual(2_000);
  expect(Math.max(...gapsMs.slice(0, 3))).toBeLessThanOrEqual(5_000);
  expect(Math.min(...gapsMs.slice(4))).toBeGreaterThanOrEqual(15_000);
  expect(Math.max(...gapsMs)).toBeLessThanOrEqual(31_000);
  expect(new Set(gapsMs.slice(4)).size).toBeGreaterThan(1);
  expect(rig.log.entries.filter(({ level }) => level === 'warn')).toHaveLength(1);
  rig.answer = async () => '{}';
  await rig.until(() => rig.published.length >= 3);
});
