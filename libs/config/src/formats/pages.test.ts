import { expect, test } from 'vitest';
import { connx } from './connx.ts';
import { helios } from './helios.ts';
import { loadBalancer } from './load-balancer.ts';
import { haproxyPage, keyedPage, nginxPage } from './migration-page.ts';
import { opsenAgent } from './opsen-agent.ts';
import { opsenServer } from './opsen-server.ts';
import { velo } from './velo.ts';

/** `vitest -u` writes the files anew. */
const FOLDER = new URL('../../../../docs/migrate/', import.meta.url);

test.each([
  keyedPage('helios', [helios]),
  keyedPage('load-balancer', [loadBalancer]),
  keyedPage('connx', [connx]),
  keyedPage('velo', [velo]),
  keyedPage('opsen', [opsenServer, opsenAgent]),
  nginxPage(),
  haproxyPage(),
])('the page about $name is made from the declarations', async ({ name, text }) => {
  await expect(text).toMatchFileSnapshot(new URL(`${name}.md`, FOLDER).pathname);
});
