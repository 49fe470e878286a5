import { COMMAND_NAMES, COMMANDS } from '@usher/events';
import { expect, test } from 'vitest';
import { COMMANDS as VERBS } from '../commands.ts';

/** Only programs of the fleet send commands that have no route. */
const FOR_PEOPLE = COMMAND_NAMES.filter((name) => 'http' in COMMANDS[name]);

test.each(FOR_PEOPLE)('the command line has a verb for %s, and says of it what the API does', (name) => {
  const { summary } = COMMANDS[name];
  expect(VERBS.map(({ verb }) => verb.summary)).toContain(summary);
});
