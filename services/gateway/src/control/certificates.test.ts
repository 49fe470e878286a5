import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { makeCertificate, type TestCertificate } from '@usher/testing';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { until } from '../testing/http.ts';
import { askTls, ListenerFiles, oneTlsConnection, serverFor, shakeHands, shownTo } from '../testing/tls.ts';
import { TlsGateway, type TlsGatewayOptions } from '../testing/tls-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

let running: TlsGateway;

async function gateway(files: ListenerFiles, options?: TlsGatewayOptions): Promise<TlsGateway> {
  running = await TlsGateway.start(files, options);
  return running;
}

afterEach(() => running.close());

describe('the certificate of a listener', () => {
  test('is the one for the host that the client asks for, else the first one', async () => {
    const files = new ListenerFiles([serverFor('one.test'), serverFor('two.test', '*.two.test')]);
    const { port } = await gateway(files);
    expect(await shownTo(port, 'one.test')).toBe('one.test');
    expect(await shownTo(port, 'two.test')).toBe('two.test');
    expect(await shownTo(port, 'WWW.Two.Test')).toBe('two.test');
    expect(await shownTo(port, 'a.www.two.test')).toBe('one.test');
    expect(await shownTo(port, 'unknown.test')).toBe('one.test');
    expect(await shownTo(port)).toBe('one.test');
  });

  test('changes with its files, while requests go on without one that fails', async () => {
    const files = new ListenerFiles([serverFor('old.test')]);
    const { port } = await gateway(files, { workers: 2 });
    const agent = oneTlsConnection();
    onTestFinished(() => agent.destroy());
    const load = new AbortController();
    let answered = 0;
    const clients = Array.from({ length: 4 }, async (_, each) => {
      while (!load.signal.aborted) {
        const { status } = await askTls(port, each === 0 ? { agent } : {});
        if (status === 200) answered += 1;
      }
    });
    const kept = await shakeHands(port);
    for (let each = 1; each <= 3; each++) {
      const name = `new-${each}.test`;
      files.replace(0, serverFor(name));
      await until(async () => (await shownTo(port)) === name, `${name} is shown`);
      const before = answered;
      await until(() => answered > before + 10, 'requests go on');
    }
    load.abort();
    await Promise.all(clients);
    expect(kept.destroyed).toBe(false);
    kept.destroy();
    expect(await running.fleet.metrics.sum('usher_tls_reloads_total', { outcome: 'ok' })).toBe(3);
  });

  test('changes when links to its files change, as Kubernetes and certbot do it', async () => {
    const files = new ListenerFiles([serverFor('old.test')]);
    const release = (name: string, { cert, key }: TestCertificate): void => {
      mkdirSync(files.path(name));
      writeFileSync(files.path(`${name}/0.pem`), cert);
      writeFileSync(files.path(`${name}/0.key`), key);
      symlinkSync(name, files.path('next'));
      renameSync(files.path('next'), files.path('current'));
    };
    release('first', serverFor('first.test'));
    for (const file of ['0.pem', '0.key']) {
      symlinkSync(`current/${file}`, files.path('next'));
      renameSync(files.path('next'), files.path(file));
    }
    const { port } = await gateway(files);
    expect(await shownTo(port)).toBe('first.test');
    release('second', serverFor('second.test'));
    await until(async () => (await shownTo(port)) === 'second.test', 'the new one is shown');
  });

  test('stays when its new files are of no use, and that is told until they are', async () => {
    const files = new ListenerFiles([serverFor('old.test')]);
    await gateway(files);
    const next = serverFor('new.test');
    files.put('0.pem', next.cert);
    await until(() => running.fault() !== undefined, 'the fault is known');
    expect(running.fault()).toMatch(
      /^the new certificates of 127.0.0.1:0 are not used: the key in .+0\.key is not that of/,
    );
    expect(await shownTo(running.port)).toBe('old.test');
    expect(running.fleet.log.entries).toContainEqual(
      expect.objectContaining({
        level: 'error',
        message: 'new certificates cannot be used, the old ones stay',
      }),
    );
    expect(await running.fleet.metrics.sum('usher_tls_reloads_total', { outcome: 'failed' })).toBe(1);
    files.put('0.key', next.key);
    await until(async () => (await shownTo(running.port)) === 'new.test', 'the new one is shown');
    expect(running.fault()).toBeUndefined();
    expect(JSON.stringify(running.fleet.log.entries)).not.toContain('PRIVATE');
  });

  test('is warned of when it has expired, and its end can be watched', async () => {
    const notAfter = new Date(Math.floor(Date.now() / 1000) * 1000 - 1000);
    const files = new ListenerFiles([makeCertificate({ names: ['old.test'], notAfter })]);
    await gateway(files);
    expect(running.fleet.log.entries).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'a certificate has expired' }),
    );
    expect(await running.fleet.metrics.read('usher_tls_certificate_expiry_timestamp_seconds')).toEqual([
      { labels: { name: 'old.test' }, value: notAfter.getTime() / 1000 },
    ]);
  });
});
