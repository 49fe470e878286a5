import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { explainable } from './explain.ts';
import { ConfigError, type Fault, type Place } from './fault.ts';
import { withOwnPools } from './formats/own-pools.ts';
import { type ForeignOptions, readRunnable, type Source } from './formats/translate.ts';
import { freezeDeeply } from './freeze.ts';
import { decodeUtf8, emptyDisk, readFailure, realDisk } from './input/disk.ts';
import { inputOf } from './input/input.ts';
import { root as rootType } from './keys/root.ts';
import { applyOverrides, type Override } from './overrides.ts';
import { checkPlugins } from './plugins/check-plugins.ts';
import { Reading, type Surroundings } from './reading.ts';
import type { UsherConfig } from './settings.ts';
import { translated } from './translated.ts';

/** Largest configuration file; room for tens of thousands of backends. */
const FILE_BYTES_MAX = 8 * 1024 * 1024;

export interface LoadOptions {
  /** The file to read, and the name that faults give it. */
  readonly file?: string | undefined;
  /** What to read instead of a file. Empty together with no `file`: there is no configuration but defaults and overrides. */
  readonly text?: string | undefined;
  /** A file with nothing in it is a fault: whoever writes it has only begun. Default: it is all defaults. */
  readonly notEmpty?: boolean | undefined;
  /** Overrides `USHER_…`, and the variables that `env:` refers to. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Modules of plugins are run, too, in a thread of their own that is ended afterwards. Default: they are read and linked, so
   * that faults are found, but nothing of them is run.
   */
  readonly runPlugins?: boolean | undefined;
  /** Values from the command line; of two for the same key the later one counts. */
  readonly overrides: readonly Override[];
  readonly hostname: string;
  /** Which system's file it is, as `--format` names it. Found out by its keys when it is not given. */
  readonly format?: string | undefined;
  /** Flags of that system, which lie over its file. */
  readonly flags?: readonly string[] | undefined;
}

/** Loads a configuration with every default filled in. Throws ConfigError with all of its faults. */
export async function loadConfig(options: LoadOptions): Promise<UsherConfig> {
  const { file, env, overrides, hostname } = options;
  const folder = file === undefined ? resolve('.') : dirname(resolve(file));
  const written = options.text ?? (file === undefined ? '' : await readText(file));
  if (options.notEmpty === true && file !== undefined && written.trim() === '')
    throw wholeFile(file, 'the file is empty; a configuration of nothing but defaults is {}');
  const text = file === undefined && written === '' ? undefined : written;
  const foreign = { env, format: options.format, flags: options.flags ?? [] };
  const found = read(text, file ?? 'config', overrides, { env, hostname, folder, disk: realDisk }, foreign);
  await checkPlugins(found.config, found.reading, options.runPlugins === true);
  return finished(found);
}

export interface ParseOptions extends Partial<Surroundings> {
  /** Name for faults. Default `usher.yaml`. */
  readonly file?: string;
  readonly overrides?: readonly Override[];
  readonly format?: string;
  readonly flags?: readonly string[];
}

/** The pure part of `loadConfig`: reads nothing but its arguments, and so no modules of plugins. Without a `disk` there are no files to refer to. */
export function parseConfigText(text: string, options: ParseOptions = {}): UsherConfig {
  const {
    file = 'usher.yaml',
    overrides = [],
    env = {},
    folder = '/',
    disk = emptyDisk,
    hostname = '',
  } = options;
  const foreign = { env, format: options.format, flags: options.flags ?? [] };
  return finished(read(text, file, overrides, { env, folder, disk, hostname }, foreign));
}

/** The text of a configuration file. Throws ConfigError. */
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

/** A configuration as it was read, with its faults. */
interface Found {
  readonly config: UsherConfig;
  readonly reading: Reading;
  /** Of variables that nothing has asked for. */
  readonly further: readonly Fault[];
  readonly translation: Source['translation'];
}

function read(
  text: string | undefined,
  file: string,
  overrides: readonly Override[],
  surroundings: Surroundings,
  foreign: ForeignOptions,
): Found {
  const parsed = text === undefined ? nothing() : readRunnable(text, placeIn(file), foreign);
  if (parsed.root === undefined) throw new ConfigError(parsed.faults);
  const overridden = applyOverrides(rootType, parsed.root, surroundings.env, overrides);
  const reading = new Reading(surroundings, [...parsed.faults, ...overridden.faults]);
  const root = parsed.translation === undefined ? overridden.root : withOwnPools(overridden.root);
  const config = rootType.read(root, '', reading);
  const unknown = [...overridden.unknownVariables].filter(([name]) => !reading.variables.has(name));
  return { config, reading, further: unknown.map(([, fault]) => fault), translation: parsed.translation };
}

function finished({ config, reading, further, translation }: Found): UsherConfig {
  const faults = [...reading.faults, ...further];
  if (faults.length > 0) throw new ConfigError(faults);
  const frozen = explainable(freezeDeeply(config), reading.leaves);
  return translation === undefined ? frozen : translated(frozen, translation);
}

export function placeIn(file: string): (line: number, column: number) => Place {
  return (line, column) => ({ kind: 'file', file, line, column });
}

function nothing(): Source {
  return { root: inputOf({}), faults: [] };
}
