import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { COMMANDS } from '../commands.ts';
import { UsageError } from '../io.ts';
import { bashCompletion } from './completion/bash.ts';
import { fishCompletion } from './completion/fish.ts';
import { zshCompletion } from './completion/zsh.ts';
import { findVerb } from './find-verb.ts';
import { helpOf, overview } from './help.ts';
import { readArguments } from './read-arguments.ts';
import { verb } from './verb.ts';

const VERBS = COMMANDS.map(({ verb }) => verb);

const sample = verb({
  name: 'sample',
  summary: 'be an example',
  arguments: {
    ID: { doc: 'the thing' },
    KIND: { doc: 'its kind', optional: true, takes: { words: ['a', 'b'] } },
  },
  options: {
    size: { type: 'string', value: 'N', doc: 'how large', default: '3' },
    tag: { type: 'string', value: 'T', doc: 'a tag', multiple: true, short: 't' },
    pool: { type: 'string', value: 'P', doc: 'the pool', required: true },
    json: { type: 'boolean', doc: 'print JSON' },
  },
});

test('a command line is read as its verb declares it', () => {
  const given = readArguments(sample, ['x', '--pool=p', '-t', '1', '--tag', '2', 'a']);
  expect(given.arguments).toEqual({ ID: 'x', KIND: 'a' });
  expect(given.options).toEqual({ size: '3', tag: ['1', '2'], pool: 'p', json: false });
});

test.each([
  [['--pool', 'p'], 'ID is missing: the thing'],
  [['x'], '--pool is needed'],
  [['x', 'c', '--pool', 'p'], 'KIND takes one of a, b, not c'],
  [['x', 'a', 'y', '--pool', 'p'], 'unexpected argument: y'],
  [['x', '--pool', 'p', '--colour', 'red'], '--colour'],
  [['x', '--pool'], '--pool'],
  [['x', '--pool', 'p', '--json=1'], '--json'],
])('what it does not take is refused: %j', (args, message) => {
  expect(() => readArguments(sample, args)).toThrow(UsageError);
  expect(() => readArguments(sample, args)).toThrow(message);
});

function found(...args: string[]): string[] {
  const { entry, rest } = findVerb(COMMANDS, args);
  return [entry.verb.name, ...rest];
}

test('a verb is found by one word or two, and also by the word that changes nothing', () => {
  expect(found('backends', '--json')).toEqual(['backends', '--json']);
  expect(found('backends', 'list', '--json')).toEqual(['backends', '--json']);
  expect(found('backends', 'add', '--id', 'b')).toEqual(['backends add', '--id', 'b']);
  expect(found('drain', 'b1')).toEqual(['drain', 'b1']);
  for (const [args, message] of [
    [['backends', 'b1'], 'backends takes add or update or remove, not b1'],
    [['audit'], 'audit takes reservations'],
    [['frob'], 'there is no command frob'],
  ] as const)
    expect(() => found(...args)).toThrow(message);
});

test('no two verbs have the same name, and what a verb may do without comes last', () => {
  expect(new Set(VERBS.map(({ name }) => name)).size).toBe(VERBS.length);
  for (const { name, arguments: positional } of VERBS) {
    const kinds = Object.values(positional).map(({ optional }) => optional === true);
    expect(kinds.lastIndexOf(false), name).toBeLessThanOrEqual(kinds.filter((kind) => !kind).length - 1);
  }
});

test('help names every argument and option with what it means', () => {
  const text = helpOf(sample).join('\n');
  expect(text).toContain('usher sample ID [KIND] --pool P [OPTION]…');
  expect(text).toMatch(/-t, --tag T +a tag \(may be given several times\)/);
  expect(text).toMatch(/--size N +how large \(default 3\)/);
  for (const { name } of VERBS) expect(overview(VERBS).join('\n')).toContain(`  ${name}`.concat('  '));
  expect(VERBS.filter(({ summary }) => summary === '')).toEqual([]);
});

/** What bash offers for a command line whose last word is being typed. */
function offers(...words: string[]): string[] {
  const script = `${bashCompletion(VERBS)}
COMP_WORDS=(usher ${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length}
_usher
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
    encoding: 'utf8',
    cwd: import.meta.dirname,
  });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

test('bash completes verbs, their second words, options and values', () => {
  expect(offers('dra')).toEqual(['drain']);
  expect(offers('backends', '')).toEqual(['list', 'add', 'update', 'remove']);
  expect(offers('backends', 'add', '--zo')).toEqual(['--zone']);
  expect(offers('backends', '--po')).toEqual(['--pool']);
  expect(offers('drain', 'b1', '--dead')).toEqual(['--deadline']);
  expect(offers('token', 'create', '--role', '')).toEqual(['read', 'operate', 'admin', 'agent']);
  expect(offers('completion', 'f')).toEqual(['fish']);
  expect(offers('pools', 'strategy', 'web', 'mag')).toEqual(['maglev']);
  expect(offers('check', 'verbs.t')).toEqual(['verbs.test.ts']);
  expect(offers('run', '--config', 'verbs.t')).toEqual(['verbs.test.ts']);
  expect(offers('drain', 'b1', '--reason', '')).toEqual([]);
});

test('zsh and fish know every verb and every option', () => {
  for (const { name, options } of VERBS) {
    expect(zshCompletion(VERBS)).toContain(`    '${name}') _arguments `);
    for (const option of Object.keys(options)) {
      expect(fishCompletion(VERBS)).toContain(`-n '__usher_in ${name}' -l ${option} `);
      expect(zshCompletion(VERBS)).toContain(`--${option}[`);
    }
  }
});
