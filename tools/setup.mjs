import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './child.mjs';

/**
 * Makes a fresh clone runnable. This file and what it imports are plain JavaScript without dependencies, because they
 * run before anything is installed, on whatever Node (20 or newer) the machine has.
 */

export const ROOT = path.resolve(fileURLToPath(import.meta.url), '../..');
export const BIN = path.join(ROOT, 'node_modules', '.bin');

const NODE_MAJOR_MIN = 24;

/** Something that the user has to do; the message says what. */
export class SetupError extends Error {}

/**
 * Installs the packages if they are not those of package-lock.json, and answers with the Node to run the project with.
 *
 * @returns {Promise<string>}
 */
export async function setUp() {
  if (!installed()) {
    console.error('usher: installing packages (npm ci)…');
    const code = await npm(['ci']);
    if (code !== 0) throw new SetupError(`\`npm ci\` failed with exit code ${code}; its message is above.`);
  }
  return findNode();
}

/** Whether node_modules holds what package-lock.json names. Compared by content: a checkout changes file times. */
function installed() {
  const wanted = readPackages('package-lock.json');
  const present = readPackages('node_modules/.package-lock.json');
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([name, entry]) => {
    if (name === '' || !name.startsWith('node_modules/')) return true;
    const found = present[name];
    // What is optional may be meant for another platform.
    if (found === undefined) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(path.join(ROOT, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * The pinned Node comes as a package whose install script puts the program in place. npm 11 runs that script because
 * package.json names it in `allowScripts`, npm 10 runs all scripts; either runs none where `ignore-scripts` is set,
 * so a missing program is asked for once more by name.
 */
async function findNode() {
  const pinned = path.join(BIN, 'node');
  const wanted = readPackages('package-lock.json')?.['node_modules/node']?.version;
  if (versionOf(pinned) !== wanted) await npm(['rebuild', 'node', '--ignore-scripts=false']);
  if (versionOf(pinned) === wanted) return pinned;
  const own = process.versions.node;
  if (Number(own.split('.')[0]) >= NODE_MAJOR_MIN) {
    console.error(
      `usher: the pinned Node ${wanted} could not be installed; using ${process.execPath} (${own}).`,
    );
    return process.execPath;
  }
  throw new SetupError(
    [
      `the pinned Node ${wanted} is not in ${pinned}, and this Node is ${own}.`,
      `Run \`npm rebuild node --ignore-scripts=false\` in ${ROOT} and look at its output,`,
      `or put Node ${NODE_MAJOR_MIN} or newer on PATH.`,
    ].join('\n'),
  );
}

function versionOf(node) {
  try {
    return execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return undefined;
  }
}

/** npm's output goes to stderr: what a command prints on stdout is its own. */
function npm(args) {
  return run('npm', args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
}

/**
 * Runs a tool's main function; a SetupError is for the user, anything else is a bug and keeps its stack.
 *
 * @param {() => Promise<number>} main answers with the exit code
 */
export async function exitWith(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`usher: ${error.message}`);
    process.exitCode = 1;
  }
}
