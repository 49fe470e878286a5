import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { loadConfig } from '@usher/config';
import { describe, expect, test } from 'vitest';
import { type ComposeService, ROOT, read, readCompose, readYaml } from './compose-file.ts';

const { services, volumes } = readCompose();
const all = Object.entries(services);
const built = all.filter(([, service]) => service.build !== undefined);

/** The config of the compose file, checked as the program checks it. */
const config = await loadConfig({
  file: path.join(ROOT, 'infra/docker/usher.yaml'),
  env: { USHER_ADMIN_TOKEN: randomBytes(24).toString('hex') },
  overrides: [],
  hostname: 'gateway-1',
});

function valueAfter(service: ComposeService, flag: string): string | undefined {
  const at = service.command.indexOf(flag);
  return at < 0 ? undefined : service.command[at + 1];
}

describe('docker-compose.yml', () => {
  test('runs the servers, every service, two gateways and three backends', () => {
    const only = all.map(([, service]) => valueAfter(service, '--only')).filter((name) => name !== undefined);
    expect(only.toSorted()).toEqual(['collector', 'gateway', 'gateway', 'health', 'scheduler']);
    expect(Object.keys(services)).toEqual(expect.arrayContaining(['nats', 'redis']));
    expect(all.filter(([, service]) => service.command[0] === 'demo-backend')).toHaveLength(3);
  });

  test('every service has a health check, its own or the image’s', () => {
    const without = all.filter(
      ([, service]) => service.healthcheck === undefined && service.build === undefined,
    );
    expect(without).toEqual([]);
    expect(read('infra/docker/Dockerfile')).toContain('\nHEALTHCHECK ');
  });

  test('services wait only for services that there are, and never for each other in a circle', () => {
    const rank = (name: string, path: readonly string[] = []): number => {
      expect(path).not.toContain(name);
      const needed = Object.keys(services[name]?.depends_on ?? {});
      for (const other of needed) expect(services).toHaveProperty(other);
      return 1 + Math.max(0, ...needed.map((other) => rank(other, [...path, name])));
    };
    expect(Math.max(...Object.keys(services).map((name) => rank(name)))).toBeGreaterThan(1);
  });

  test('no port of the host is given out twice, and only traffic is open to other machines', () => {
    const ports = all.flatMap(([, service]) => service.ports);
    const hostPorts = ports.map((port) => port.split(':').at(-2));
    expect(new Set(hostPorts).size).toBe(hostPorts.length);
    const open = all.filter(([, service]) => service.ports.some((port) => !port.startsWith('127.0.0.1:')));
    expect(open.map(([name]) => name)).toEqual(['gateway-1', 'gateway-2']);
  });

  test('every file and volume that is mounted exists', () => {
    for (const source of all.flatMap(([, service]) =>
      service.volumes.map((volume) => volume.split(':')[0]!),
    )) {
      if (source.startsWith('.')) expect(existsSync(path.join(ROOT, source)), source).toBe(true);
      else expect(volumes).toHaveProperty(source);
    }
    for (const [, { build }] of built) {
      expect(existsSync(path.join(ROOT, build?.context ?? '', build?.dockerfile ?? ''))).toBe(true);
    }
  });

  test('what is built here runs without privileges', () => {
    expect(built.length).toBeGreaterThan(0);
    for (const [, service] of built) {
      expect(service).toMatchObject({ cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    }
  });

  test('processes are given more time to stop than requests have to finish', () => {
    for (const [, service] of all.filter(([, service]) => service.command[0] === 'run')) {
      const graceMs = Number.parseInt(service.stop_grace_period ?? '0', 10) * 1_000;
      expect(graceMs).toBeGreaterThan(config.shared.timeouts.shutdownMs);
    }
  });
});

describe('the configuration that it mounts', () => {
  test('names backends that the compose file runs, on the ports they listen on', () => {
    expect(config.shared.backends).toHaveLength(3);
    for (const backend of config.shared.backends) {
      const { hostname, port } = new URL(backend.url);
      const service = services[hostname];
      expect(service && valueAfter(service, '--port')).toBe(port);
      expect(service && valueAfter(service, '--name')).toBe(backend.id);
    }
  });

  test('has a Redis that forgets sessions when it is full, and nothing else', () => {
    expect(valueAfter(services['redis']!, '--maxmemory-policy')).toBe('volatile-ttl');
  });

  test('uses the servers that the compose file runs', () => {
    const { bus, store } = config.local;
    const urls = [
      ...(bus.type === 'nats' ? bus.servers : []),
      ...(store.type === 'redis' ? [store.url] : []),
    ];
    expect(urls.map((url) => new URL(url).hostname)).toEqual(['nats', 'redis']);
  });

  test('listens where the compose file and the health check look', () => {
    const { listen, admin, metrics } = config.local;
    const ports = [listen[0]?.port, admin?.port].map(String);
    const published = built.flatMap(([, service]) => service.ports.map((port) => port.split(':').at(-1)));
    expect(new Set(published)).toEqual(new Set(ports));
    for (const address of [listen[0], admin, metrics]) expect(address?.host).toBe('0.0.0.0');
    expect(read('infra/docker/Dockerfile')).toContain(`http://127.0.0.1:${metrics?.port}/health/ready`);
  });
});

test('Prometheus scrapes every process of the fleet', () => {
  const { scrape_configs: jobs } = readYaml('infra/prometheus/prometheus.yml') as {
    scrape_configs: { static_configs: { targets: string[]; labels: { service: string } }[] }[];
  };
  const scraped = jobs.flatMap((job) =>
    job.static_configs.flatMap(({ targets, labels }) =>
      targets.map((target) => {
        const [name = '', port] = target.split(':');
        expect(port).toBe(String(config.local.metrics?.port));
        return `${name} ${labels.service}`;
      }),
    ),
  );
  const processes = all.flatMap(([name, service]) => {
    const only = valueAfter(service, '--only');
    return only === undefined ? [] : [`${name} ${only}`];
  });
  expect(scraped.toSorted()).toEqual(processes.toSorted());
});
