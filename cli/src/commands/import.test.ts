import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { tempDir } from '@usher/testing';
import { expect, onTestFinished, test } from 'vitest';
import { importConfig } from './import.ts';

test.each([
  ['location = /x { internal; proxy_pass http://a:1; }', 0],
  ['location ~ /x { internal; proxy_pass http://a:1; }', 1],
])('a file that keeps out whom Usher would let in is translated and a failure: %s', async (lines, code) => {
  const directory = tempDir();
  onTestFinished(() => directory.remove());
  const at = (name: string) => path.join(directory.path, name);
  writeFileSync(
    at('n.conf'),
    `http { server { expires 1h; location / { proxy_pass http://b:1; } ${lines} } }`,
  );
  const told: string[] = [];
  const io = { env: {}, cwd: directory.path, hostname: 'h', commandLine: [], out: () => {} };
  const given = {
    options: { format: undefined, output: 'u.yaml' },
    arguments: { FILE: 'n.conf' },
    behind: [],
  };
  expect(await importConfig(given, { ...io, err: (line) => told.push(line) })).toBe(code);
  const output = readFileSync(at('u.yaml'), 'utf8');
  expect(told[1]?.includes('left open')).toBe(code === 1);
  expect(told.at(-1)?.includes('kept somebody out')).toBe(code === 1);
  expect(output.includes('left open')).toBe(code === 1);
});
