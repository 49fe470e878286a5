import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT, read } from './compose-file.ts';

const INSTALLED_AT = '/opt/usher/';

describe('the image', () => {
  const dockerfile = read('infra/docker/Dockerfile');
  const instructions = dockerfile
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line));

  test('copies only what exists', () => {
    const sources = instructions
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(sources).toEqual(expect.arrayContaining(['bin', 'cli', 'libs', 'services']));
    for (const source of sources) expect(existsSync(path.join(ROOT, source)), source).toBe(true);
  });

  test('runs on a Node that strips types, as nobody special, by the project’s own command', () => {
    const bases = instructions.filter((line) => line.startsWith('FROM '));
    for (const base of bases) expect(Number(/node:(\d+)-slim/.exec(base)?.[1])).toBeGreaterThanOrEqual(24);
    expect(instructions).toContain('USER node');
    const entrypoint = instructions.find((line) => line.startsWith('ENTRYPOINT '));
    expect(entrypoint).toBe(`ENTRYPOINT ["${INSTALLED_AT}bin/usher"]`);
    expect(statSync(path.join(ROOT, 'bin/usher')).mode & 0o111).not.toBe(0);
  });
});

describe('systemd units', () => {
  const units = readdirSync(path.join(ROOT, 'infra/systemd')).filter((name) => name.endsWith('.service'));

  test('there is one for the whole and one for agents', () => {
    expect(units.toSorted()).toEqual(['usher-agent.service', 'usher.service']);
  });

  test.each(units)('%s starts a command that there is, restarts it and confines it', (name) => {
    const unit = read(path.join('infra/systemd', name));
    const commands = [...unit.matchAll(/^ExecStart\w*=(\S+) (\S+)/gm)].map(([, program, verb]) => ({
      program,
      verb,
    }));
    expect(commands.length).toBeGreaterThan(0);
    for (const { program = '', verb = '' } of commands) {
      expect(existsSync(path.join(ROOT, program.replace(INSTALLED_AT, ''))), program).toBe(true);
      expect(['run', 'check', 'agent']).toContain(verb);
    }
    expect(unit).toMatch(/^Restart=(always|on-failure)$/m);
    // What follows a hot restart is another process.
    if (unit.includes('USR2')) expect(unit).toMatch(/^Type=notify\nNotifyAccess=all$/m);
    expect(unit).toMatch(/^NoNewPrivileges=yes$/m);
    expect(unit).toMatch(/^ProtectSystem=strict$/m);
    // V8 writes machine code.
    expect(unit).not.toMatch(/^MemoryDenyWriteExecute=yes$/m);
  });
});
