import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { registerAdminRoutes } from '@usher/admin';
import { loadConfig, sharedHash } from '@usher/config';
import { dnsResolver, startAdminServer } from '@usher/runtime';
import { previewWhole, Scheduler } from '@usher/scheduler';
import { tempDir } from '@usher/testing';
import { expect, vi } from 'vitest';
import { backendFiles } from './backend-files.ts';
import { openCore } from './open-core.ts';

const FILE = `
logging: { level: error }
pools:
  web: { health: { type: none }, drain: 0s, backends: [ { id: a, url: "http://10.0.0.1:80" }, { id: b, url: "http://10.0.0.2:80" } ] }
routes: [ { id: all, path: "/*", pool: web } ]
`;

interface Surroundings {
  /** Names of empty files beside the configuration. */
  readonly files?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Answer<T> {
  readonly status: number;
  readonly etag: string | null;
  readonly body: T;
}

/** A leader and its admin API on a real socket, over an embedded log. */
export class TestFleet {
  readonly #url: string;
  /** Resolves when the fleet is what a changed file says. */
  readonly edit: (text: string) => Promise<void>;
  readonly stop: () => Promise<void>;

  private constructor(url: string, edit: (text: string) => Promise<void>, stop: () => Promise<void>) {
    this.#url = url;
    this.edit = edit;
    this.stop = stop;
  }

  static async start(text = FILE, { files = [], env = {} }: Surroundings = {}): Promise<TestFleet> {
    const folder = tempDir();
    for (const name of files) writeFileSync(join(folder.path, name), '');
    const file = join(folder.path, 'usher.yaml');
    const read = async (given: string) => {
      writeFileSync(file, given);
      return await loadConfig({ file, env, overrides: [], hostname: '' });
    };
    const { local, shared } = await read(text);
    const core = await openCore(local);
    const { context, fold } = core;
    const declared = { shared, hash: sharedHash(shared) };
    const scheduler = new Scheduler(context, {
      declared,
      snapshot: () => fold.snapshot(),
      discovery: { resolver: dnsResolver, files: backendFiles(context.clock, context.log) },
      own: [],
    });
    await scheduler.start();
    const admin = await startAdminServer({
      ...context,
      host: '127.0.0.1',
      port: 0,
      tokens: [],
      allow: ['127.0.0.0/8'],
      limits: { bodyBytes: 65_536, connections: 256, connectionsPerIp: 64, requestsPerS: 100_000 },
      health: () => ({ status: 'ok', services: [] }),
      register: (app) =>
        registerAdminRoutes(app, context, {
          services: () => [],
          outages: () => [],
          previews: {
            text: async () => ({ preview: null, faults: [] }),
            settings: (wanted) => previewWhole(fold.state, wanted, context.clock.now()),
          },
        }),
    });
    const edit = async (changed: string) => {
      const { shared: wanted } = await read(changed);
      const hash = sharedHash(wanted);
      scheduler.declare({ shared: wanted, hash });
      await vi.waitFor(() => expect(fold.state.config?.hash).toBe(hash));
    };
    return new TestFleet(`http://127.0.0.1:${admin.port}`, edit, async () => {
      await admin.close();
      await scheduler.stop();
      await core.close();
      folder.remove();
    });
  }

  async text(path: string): Promise<string> {
    return await (await fetch(this.#url + path)).text();
  }

  async ask<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<T>> {
    const response = await fetch(this.#url + path, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      etag: response.headers.get('etag'),
      body: (await response.json()) as T,
    };
  }
}
