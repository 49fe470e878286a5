import { registerAdminRoutes } from '@usher/admin';
import { parseConfigText, sharedHash } from '@usher/config';
import { dnsResolver, startAdminServer } from '@usher/runtime';
import { Scheduler } from '@usher/scheduler';
import { tempDir } from '@usher/testing';
import { backendFiles } from './backend-files.ts';
import { openCore } from './open-core.ts';

const FILE = `
logging: { level: error }
pools:
  web: { health: { type: none }, drain: 0s, backends: [ { id: a, url: "http://10.0.0.1:80" }, { id: b, url: "http://10.0.0.2:80" } ] }
routes: [ { id: all, path: "/*", pool: web } ]
`;

interface Answer<T> {
  readonly status: number;
  readonly etag: string | null;
  readonly body: T;
}

/** A leader and its admin API on a real socket, over an embedded log. */
export class TestFleet {
  readonly #url: string;
  readonly stop: () => Promise<void>;

  private constructor(url: string, stop: () => Promise<void>) {
    this.#url = url;
    this.stop = stop;
  }

  static async start(text = FILE): Promise<TestFleet> {
    const folder = tempDir();
    const { local, shared } = parseConfigText(text, { folder: folder.path });
    const core = await openCore(local);
    const { context, fold } = core;
    const declared = { shared, hash: sharedHash(shared) };
    const scheduler = new Scheduler(context, {
      declared,
      snapshot: () => fold.snapshot(),
      discovery: { resolver: dnsResolver, files: backendFiles(context.clock, context.log) },
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
          preview: async () => ({ preview: null, faults: [] }),
        }),
    });
    return new TestFleet(`http://127.0.0.1:${admin.port}`, async () => {
      await admin.close();
      await scheduler.stop();
      await core.close();
      folder.remove();
    });
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
