import { FleetFold } from '@usher/actors';
import { type EventDraft, envelop } from '@usher/events';
import { createMetrics } from '@usher/runtime';
import { SimulatedClock, seededRandom } from '@usher/testing';
import { expect, test } from 'vitest';
import { connxMetrics } from './connx-metrics.ts';
import { veloMetrics } from './velo-metrics.ts';

function pool(id: string): EventDraft {
  const breaker = {
    enabled: true,
    failures: 1,
    windowMs: 1,
    openForMs: 1,
    halfOpenRequests: 1,
    successes: 1,
  };
  const settings = {
    id,
    strategy: 'round_robin',
    health: { type: 'none' },
    breaker,
    retry: { attempts: 0, budgetRatio: 0 },
    proxyProtocol: 'none',
    http2: false,
    drainMs: 0,
    agents: false,
  } as const;
  return { type: 'pool.added', subject: id, data: { settings, origin: 'config' } };
}

function backend(id: string, of: string): EventDraft {
  const settings = { id, pool: of, url: `http://${id}`, weight: 1 };
  return {
    type: 'backend.registered',
    subject: id,
    data: { settings, origin: 'config', health: 'unchecked' },
  };
}

/** A fleet whose pools are `web`, with `a` and `b`, and `own`, with this process itself. */
function fleetOf(more: readonly EventDraft[] = []): FleetFold {
  const random = seededRandom(3);
  const declared = [backend('a', 'web'), backend('b', 'web'), backend('self', 'own')];
  const fleet = new FleetFold();
  const context = { source: 'usher/test/t', timeMs: 0, actor: 'test' };
  const events = envelop([pool('web'), pool('own'), ...declared, ...more], context, () => random.uuid());
  fleet.apply({ position: 1, subject: 'usher.events.scheduler.control', events, quarantined: [] });
  return fleet;
}

const clock = new SimulatedClock();
const ups = async (fleet: FleetFold, metrics = createMetrics()) =>
  (await connxMetrics({ clock, fleet }, metrics, 'own').render()).match(/^connx_backend_up\{.*$/gm);

test('neither the metrics of ConnX nor those of Velo have what the file did not declare', async () => {
  expect(await ups(fleetOf())).toEqual([
    'connx_backend_up{backend="http://a"} 1',
    'connx_backend_up{backend="http://b"} 1',
  ]);
  const velo = await veloMetrics({ fleet: fleetOf() }, createMetrics(), 'own').render();
  expect(Object.keys(JSON.parse(velo))).toEqual(['web']);
});

test('with the names of ConnX a backend is up while the gateway of this process sends it requests', async () => {
  const metrics = createMetrics();
  metrics.gauge('usher_backend_eligible', 'As of a gateway', () => [
    { labels: { backend: 'a', pool: 'web' }, value: 1 },
    { labels: { backend: 'b', pool: 'web' }, value: 0 },
  ]);
  expect(await ups(fleetOf(), metrics)).toEqual([
    'connx_backend_up{backend="http://a"} 1',
    'connx_backend_up{backend="http://b"} 0',
  ]);
});

test('without a gateway in this process it is down while one has ejected it', async () => {
  const ejected: EventDraft = {
    type: 'backend.ejected',
    subject: 'b',
    data: {
      backend: 'b',
      gateway: 'one',
      cause: 'in_a_row',
      failures: 5,
      requests: 5,
      untilMs: 9000,
      times: 1,
    },
  };
  expect(await ups(fleetOf([ejected]))).toEqual([
    'connx_backend_up{backend="http://a"} 1',
    'connx_backend_up{backend="http://b"} 0',
  ]);
});
