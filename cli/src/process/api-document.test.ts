import type { ConfigPreviews } from '@usher/admin';
import { startCollector } from '@usher/collector';
import { parseConfigText } from '@usher/config';
import { createAdminApp } from '@usher/runtime';
import { tempDir } from '@usher/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { registerApi } from './open-admin.ts';
import { type Core, openCore } from './open-core.ts';
import { watchOutages } from './watch-outages.ts';

/** `vitest -u` writes it anew. */
const PAGE = new URL('../../../docs/reference/openapi.json', import.meta.url);
/** Where a parameter stands in a path, for Fastify and in the document. */
const PARAMETER = /:(\w+)/g;

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const previews: ConfigPreviews = {
  text: async () => ({ preview: null, faults: [] }),
  settings: () => [],
};

let folder: ReturnType<typeof tempDir>;
let core: Core;
let app: ReturnType<typeof createAdminApp>;
let stop: () => Promise<void>;

beforeAll(async () => {
  folder = tempDir();
  const { local } = parseConfigText('logging: { level: error }', { folder: folder.path });
  core = await openCore(local);
  const { context } = core;
  const collector = startCollector(context);
  const outages = watchOutages(context);
  app = createAdminApp({
    ...context,
    host: '127.0.0.1',
    port: 0,
    tokens: [],
    allow: ['127.0.0.0/8'],
    health: () => ({ status: 'ok', services: [] }),
    register: (app) => registerApi(app, context, { services: () => [], collector, outages, previews }),
  });
  stop = async () => {
    outages.stop();
    await app.close();
    await collector.stop();
  };
});

afterAll(async () => {
  await stop();
  await core.close();
  folder.remove();
});

async function document(): Promise<Document> {
  const response = await app.inject({ url: '/v1/openapi.json', headers: { host: 'localhost' } });
  expect(response.statusCode).toBe(200);
  return response.json<Document>();
}

/** What Fastify itself says that it serves: a tree, in which each line goes on from the one that it hangs on. */
function registered(): string[] {
  const paths: string[] = [];
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const {
        indent = '',
        part = '',
        methods,
      } = /^(?<indent>[│ ]*)[├└]── (?<part>\S*)(?: \((?<methods>[^)]+)\))?/.exec(line)?.groups ?? {};
      const depth = indent.length / 4;
      const path = `${paths[depth - 1] ?? ''}${part}`;
      paths.splice(depth, paths.length, path);
      const served = methods?.split(', ') ?? [];
      return served.filter((method) => method !== 'HEAD').map((method) => `${method} ${path}`);
    });
}

test('the document has every route that is registered, and no other', async () => {
  const { paths } = await document();
  const documented = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const routes = registered().map((route) => route.replaceAll(PARAMETER, '{$1}'));
  expect(routes.length).toBeGreaterThan(15);
  expect(documented.toSorted()).toEqual(routes.toSorted());
});

test('each operation has a name of its own, and says what it is answered with', async () => {
  const operations = Object.values((await document()).paths).flatMap((path) => Object.values(path));
  const names = operations.map(({ operationId }) => operationId);
  expect(new Set(names).size).toBe(names.length);
  for (const { operationId, responses } of operations) {
    const statuses = Object.keys(responses);
    expect(
      statuses.some((status) => status.startsWith('2')),
      operationId,
    ).toBe(true);
    expect(statuses, operationId).toContain('403');
  }
});

test('every reference in the document leads to a schema or a response', async () => {
  const text = JSON.stringify(await document());
  const { components } = JSON.parse(text) as {
    readonly components: { readonly schemas: object; readonly responses: object };
  };
  const named = [...text.matchAll(/"#\/components\/(\w+\/[\w.]+)"/g)].map(([, name]) => name);
  const { schemas, responses } = components;
  const told = Object.entries({ schemas, responses }).flatMap(([kind, named]) =>
    Object.keys(named).map((name) => `${kind}/${name}`),
  );
  expect(new Set(named)).toEqual(new Set(told));
});

test('settings have names of their own, so that the document stays small enough to make clients from', async () => {
  const text = JSON.stringify(await document(), undefined, 2);
  expect(text.length).toBeLessThan(250_000);
  for (const name of ['PoolSettings', 'RouteSettings', 'BackendSettings', 'SharedSettings'])
    expect(text).toContain(`"#/components/schemas/${name}"`);
});

test('the page of the API is made from the routes', async () => {
  await expect(`${JSON.stringify(await document(), undefined, 2)}\n`).toMatchFileSnapshot(PAGE.pathname);
});
