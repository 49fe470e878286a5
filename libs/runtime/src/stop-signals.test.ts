import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';

const SCRIPT = `
  import { onStopSignals } from '@usher/runtime';
  const idle = setInterval(() => {}, 1000);
  onStopSignals((signal) => {
    process.stdout.write('stopping on ' + signal + '\\n');
    if (process.argv[1] === 'orderly') clearInterval(idle);
  });
  process.stdout.write('ready\\n');`;

let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
  child = undefined;
});

async function start(manner: 'orderly' | 'stuck') {
  const started = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, manner], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = started;
  const output = started.stdout[Symbol.asyncIterator]();
  const line = async () => String((await output.next()).value).trim();
  expect(await line()).toBe('ready');
  return { started, line, exited: once(started, 'exit') };
}

test('the first signal is handed to the handler, which may take its time', async () => {
  const { started, line, exited } = await start('orderly');
  started.kill('SIGTERM');
  expect(await line()).toBe('stopping on SIGTERM');
  expect(await exited).toEqual([0, null]);
});

test('the second signal ends the process at once', async () => {
  const { started, line, exited } = await start('stuck');
  started.kill('SIGTERM');
  expect(await line()).toBe('stopping on SIGTERM');
  started.kill('SIGINT');
  expect(await exited).toEqual([130, null]);
});
