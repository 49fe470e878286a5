import { problemOf, UsherError } from '@usher/domain';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CLIENT, OpsenRig, REPORT } from '../testing/opsen-rig.ts';

let rig: OpsenRig;
beforeEach(async () => {
  rig = await OpsenRig.start();
});
afterEach(async () => {
  await rig.stop();
});

const urlOf = (id: string) => rig.fleet.fold.state.backends.get(id)?.settings.url;

describe('POST /register', () => {
  test('registers the client as a backend of the pool', async () => {
    expect(await rig.call('POST', '/register', CLIENT)).toEqual([200, { status: 'registered' }]);
    expect(rig.fleet.fold.state.backends.get('gpu-1')).toMatchObject({
      origin: 'agent',
      settings: {
        pool: 'infer',
        url: 'http://10.0.0.1:11000',
        weight: 1,
        place: { latitude: 48.85, longitude: 2.35 },
      },
    });
    expect(rig.fleet.commands[0]).toMatchObject({ name: 'backend.announce', actor: 'opsen/gpu-1' });
  });

  test.each([
    [
      { endpoints: [{ url: 'https://10.0.0.2', paths: ['/v1/*'] }], endpoint_url: 'http://10.0.0.3' },
      'https://10.0.0.2',
    ],
    [{ endpoints: [], endpoint_url: 'http://10.0.0.3:80/' }, 'http://10.0.0.3'],
    [{ endpoint_url: 'http://GPU.example.com:8000' }, 'http://GPU.example.com:8000'],
    [{ endpoint_url: 'http://a.b.farm.example.com' }, 'http://a.b.farm.example.com'],
    [{ local_ip: '', public_ip: '10.9.9.9' }, 'http://10.9.9.9:11000'],
    [{ local_ip: 'fd00::7' }, 'http://[fd00::7]:11000'],
  ])('takes the first endpoint that is named: %j', async (changes, url) => {
    expect(await rig.call('POST', '/register', { ...CLIENT, ...changes })).toEqual([
      200,
      { status: 'registered' },
    ]);
    expect(urlOf('gpu-1')).toBe(url);
  });

  test('takes endpoints for some paths', async () => {
    const endpoints = [
      { url: 'http://10.0.0.2:80', paths: ['/v1/*', 'exact'] },
      { url: 'http://10.0.0.3:81', paths: ['/*/live'] },
    ];
    await rig.call('POST', '/register', { ...CLIENT, endpoints });
    expect(rig.fleet.fold.state.backends.get('gpu-1')?.settings).toMatchObject({
      url: 'http://10.0.0.2',
      endpoints: [
        { path: '/v1/*', url: 'http://10.0.0.2' },
        { path: '/exact', url: 'http://10.0.0.2' },
        { path: '/*/live', url: 'http://10.0.0.3:81' },
      ],
    });
    const inside = { url: 'http://127.0.0.1:9091', paths: ['/admin/*'] };
    const answer = await rig.call('POST', '/register', { ...CLIENT, endpoints: [...endpoints, inside] });
    expect(answer).toEqual([403, 'Endpoint not allowed: http://127.0.0.1:9091\n']);
  });

  test.each([
    'http://127.0.0.1:9091',
    'http://169.254.169.254',
    'http://[::1]:80',
    'http://[::ffff:127.0.0.1]:80',
    'http://localhost:9091',
    'http://farm.example.com',
    'http://gpu.example.com.evil.example',
    'http://203.0.113.7:11000',
  ])('refuses what is not where backends may be: %s', async (endpoint_url) => {
    const answer = await rig.call('POST', '/register', { ...CLIENT, endpoint_url });
    expect(answer).toEqual([403, `Endpoint not allowed: ${endpoint_url}\n`]);
    expect(rig.fleet.commands).toEqual([]);
  });

  test.each([
    [{ client_id: undefined }, 'Missing required field: client_id\n'],
    [{ client_id: '' }, 'Missing required field: client_id\n'],
    [{ local_ip: undefined, public_ip: undefined }, 'Missing required field: endpoint_url\n'],
    [{ endpoint_url: 'http://10.0.0.1/path' }, expect.stringContaining('Invalid endpoint')],
    [{ latitude: 91 }, expect.stringContaining('latitude: expected a number from -90 to 90')],
    [{ endpoints: [{ paths: ['/'] }] }, 'Missing required field: endpoints[0].url\n'],
    [
      {
        endpoints: [{ url: 'http://10.0.0.1', paths: ['/a b'] }, { url: 'http://10.0.0.2' }],
      },
      expect.stringContaining('Invalid path /a b'),
    ],
    [{ endpoints: 'none' }, expect.stringContaining('endpoints: expected a list')],
  ])('says what is wrong: %j', async (changes, text) => {
    expect(await rig.call('POST', '/register', { ...CLIENT, ...changes })).toEqual([400, text]);
  });

  test('takes 0,0 for a place that is not known, and any other zero for what it is', async () => {
    await rig.call('POST', '/register', { ...CLIENT, latitude: 0, longitude: 0 });
    expect(rig.fleet.fold.state.backends.get('gpu-1')?.settings).not.toHaveProperty('place');
    await rig.call('POST', '/register', { ...CLIENT, client_id: 'gpu-2', local_ip: '10.0.0.2', latitude: 0 });
    expect(rig.fleet.fold.state.backends.get('gpu-2')?.settings.place).toEqual({
      latitude: 0,
      longitude: 2.35,
    });
  });

  test('a client that starts anew with another name at the same endpoint replaces itself, and nobody else', async () => {
    rig.fleet.register('declared', { pool: 'infer', url: 'http://10.0.0.1:11000' }, 'config');
    rig.fleet.register('elsewhere', { pool: 'web', url: 'http://10.0.0.1:11000' }, 'agent');
    await rig.call('POST', '/register', CLIENT);
    await rig.call('POST', '/register', { ...CLIENT, client_id: 'gpu-other', local_ip: '10.0.0.2' });
    await rig.call('POST', '/register', { ...CLIENT, client_id: 'gpu-new' });
    expect([...rig.fleet.fold.state.backends.keys()]).toEqual([
      'a',
      'declared',
      'elsewhere',
      'gpu-other',
      'gpu-new',
    ]);
  });

  test('a name that is no id gets one, and keeps its own in answers', async () => {
    const client_id = 'gpu 1 (Paris).example.com';
    await rig.call('POST', '/register', { ...CLIENT, client_id });
    expect([...rig.fleet.fold.state.backends.keys()].at(-1)).toMatch(/^gpu-1-Paris-example-com-[0-9a-f]{8}$/);
    expect(await rig.call('POST', '/stats', { ...REPORT, client_id })).toEqual([200, { status: 'ok' }]);
    const [, clients] = await rig.call('GET', '/clients');
    expect(clients).toMatchObject([{ client_id }]);
  });

  test('says why the fleet refuses', async () => {
    rig.fleet.decide = async () => ({
      ok: false,
      problem: problemOf('forbidden', 'pool infer takes no agents'),
    });
    expect(await rig.call('POST', '/register', CLIENT)).toEqual([403, 'pool infer takes no agents\n']);
    rig.fleet.decide = () => Promise.reject(new UsherError('no_leader'));
    expect(await rig.call('POST', '/register', CLIENT)).toEqual([503, 'No scheduler is leading\n']);
  });
});
