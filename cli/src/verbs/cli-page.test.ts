import { expect, test } from 'vitest';
import { COMMANDS } from '../commands.ts';
import { cliPage } from './cli-page.ts';

/** `vitest -u` writes the page anew. */
const PAGE = new URL('../../../docs/reference/cli.md', import.meta.url);

test('the page of the command line is made from the declarations', async () => {
  await expect(cliPage(COMMANDS.map(({ verb }) => verb))).toMatchFileSnapshot(PAGE.pathname);
});
