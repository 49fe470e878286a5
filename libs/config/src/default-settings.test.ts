import { defaultPool, defaultRoute } from '@usher/domain';
import { expect, test } from 'vitest';
import { parseConfigText } from './load.ts';

test('a pool and a route that commands add are those of a file that says nothing of them', () => {
  const { shared } = parseConfigText('pools: { web: {} }\nroutes: [{ id: r, path: "/*", pool: web }]');
  expect(shared.pools).toEqual([defaultPool('web')]);
  expect(shared.routes).toEqual([defaultRoute('r', '/*', 'web')]);
});
