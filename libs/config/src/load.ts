import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { explainable } from './explain.ts';
import { ConfigError, type Fault, type Place } from './fault.ts';
import { freezeDeeply } from './freeze.ts';
import { decodeUtf8, emptyDisk, readFailure, realDisk } from './input/disk.ts';
import { type Input, inputOf } from './input/input.ts';
import { parseYaml } from './input/yaml.ts';
import { root as rootType } from './keys/root.ts';
import { applyOverrides, type Override } from './overrides.ts';
import { Reading, type Surroundings } from './reading.ts';
import type { UsherConfig } from './settings.ts';

/** Largest configuration file; room for tens of thousands of backends. */
const FILE_BYTES_MAX = 8 * 1024 * 1024;

export interface LoadOptions {
  /** The file to read, and the name that faults give it. */
  readonly file?: string | undefined;
  /** What to read instead of a file. Empty together with no `file`: there is no configuration but defaults and overrides. */
  readonly text?: string | undefined;
  /** Overrides `USHER_…`, and the variables that `env:` refers to. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Values from the command line; of two for the same key the later one counts. */
  readonly overrides: readonly Override[];
  readonly hostname: string;
}

/** Loads a configuration with every default filled in. Throws ConfigError with all of its faults. */
export async function loadConfig(options: LoadOptions): Promise<UsherConfig> {
  const { file, env, overrides, hostname } = options;
  const folder = file === undefined ? resolve('.') : dirname(resolve(file));
  const written = options.text ?? (file === undefined ? '' : await readText(file));
  const text = file === undefined && written === '' ? undefined : written;
  return read(text, file ?? 'config', overrides, { env, hostname, folder, disk: realDisk });
}

export interface ParseOptions extends Partial<Surroundings> {
  /** Name for faults. Default `usher.yaml`. */
  readonly file?: string;
  readonly overrides?: readonly Override[];
}

/** The pure part of `loadConfig`: reads nothing but its arguments. Without a `disk` there are no files to refer to. */
export function parseConfigText(text: string, options: ParseOptions = {}): UsherConfig {
  const {
    file = 'usher.yaml',
    overrides = [],
    env = {},
    folder = '/',
    disk = emptyDisk,
    hostname = '',
  } = options;
  return read(text, file, overrides, { env, folder, disk, hostname });
}

/** Text of a configuration file. Throws ConfigError. */
export async function readText(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw wholeFile(file, readFailure(error));
  }
  if (bytes.byteLength > FILE_BYTES_MAX)
    throw wholeFile(file, `the file is longer than ${FILE_BYTES_MAX} bytes`);
  const text = decodeUtf8(bytes);
  if (typeof text === 'string') return text;
  throw new ConfigError([
    { place: { kind: 'file', file, ...text }, path: '', message: 'the file is not UTF-8' },
  ]);
}

function wholeFile(file: string, message: string): ConfigError {
  return new ConfigError([{ place: { kind: 'file', file, line: 0, column: 0 }, path: '', message }]);
}

function read(
  text: string | undefined,
  file: string,
  overrides: readonly Override[],
  surroundings: Surroundings,
): UsherConfig {
  const parsed = text === undefined ? nothing() : parseYaml(text, placeIn(file));
  if (parsed.root === undefined) throw new ConfigError(parsed.faults);
  const overridden = applyOverrides(rootType, parsed.root, surroundings.env, overrides);
  const reading = new Reading(surroundings, [...parsed.faults, ...overridden.faults]);
  const config = rootType.read(overridden.root, '', reading);
  const unknown = [...overridden.unknownVariables].filter(([name]) => !reading.variables.has(name));
  const faults = [...reading.faults, ...unknown.map(([, fault]) => fault)];
  if (faults.length > 0) throw new ConfigError(faults);
  return explainable(freezeDeeply(config), reading.leaves);
}

export function placeIn(file: string): (line: number, column: number) => Place {
  return (line, column) => ({ kind: 'file', file, line, column });
}

function nothing(): { root: Input; faults: readonly Fault[] } {
  return { root: inputOf({}), faults: [] };
}
