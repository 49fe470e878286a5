import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { run } from './child.mjs';
import { SetupError } from './setup.mjs';

/** The real servers that tests run against; the package of that name holds the program of that name. */
const SERVERS = ['nats-server', 'redis-server'];

/** Where distributions put servers, which the PATH of an ordinary user often lacks. */
const SERVER_DIRECTORIES = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'];

/**
 * Makes sure that the servers can be started and answers with the PATH on which they are found.
 *
 * @returns {Promise<string>}
 */
export async function provideServers() {
  const searchPath = [process.env.PATH ?? '', ...SERVER_DIRECTORIES].join(path.delimiter);
  let missing = SERVERS.filter((name) => !isOn(searchPath, name));
  if (missing.length > 0 && canInstall()) {
    console.error(`usher: installing ${missing.join(' and ')} (apt-get)…`);
    await install(missing);
    missing = SERVERS.filter((name) => !isOn(searchPath, name));
  }
  if (missing.length === 0) return searchPath;
  throw new SetupError(
    [
      `the tests need ${missing.join(' and ')} on PATH. Install with one of`,
      `  sudo apt-get install ${missing.join(' ')}      (Debian, Ubuntu)`,
      `  brew install ${missing.map((name) => name.replace(/^redis-server$/, 'redis')).join(' ')}      (macOS)`,
    ].join('\n'),
  );
}

function isOn(searchPath, name) {
  return searchPath.split(path.delimiter).some((directory) => {
    try {
      accessSync(path.join(directory || '.', name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function canInstall() {
  return process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0;
}

/** RUNLEVEL=1 keeps the packages from starting their servers: the tests start their own, on free ports. */
async function install(packages) {
  const options = {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  };
  await run('apt-get', ['update', '-q'], options);
  await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], options);
}
