import { basename, dirname, resolve } from 'node:path';
import { ConfigError, type Fault } from '../fault.ts';
import { type Disk, realDisk } from '../input/disk.ts';
import { root as usher } from '../keys/root.ts';
import { placeIn, readText } from '../load.ts';
import { Reading } from '../reading.ts';
import { FORMAT_NAMES } from './formats.ts';
import { printConfig } from './print.ts';
import { isOfUsher } from './recognise.ts';
import type { Note } from './remarks.ts';
import { readSource } from './translate.ts';

/** The file of another system as one for Usher. */
export interface Imported {
  /** What people call the system. */
  readonly title: string;
  /** A file of Usher, or the command line that does what the file was for. */
  readonly output: string;
  readonly notes: readonly Note[];
  /** Files that it refers to and that are not on this machine. */
  readonly absent: readonly Fault[];
}

export interface ImportOptions {
  /** As `--format` names it. Found out by its keys when it is not given. */
  readonly format?: string | undefined;
  /** Flags of that system, which lie over its file. */
  readonly flags?: readonly string[] | undefined;
}

/** Translates a file. Throws ConfigError with all that is wrong with it. */
export async function importFile(file: string, options: ImportOptions): Promise<Imported> {
  return importText(await readText(file), {
    ...options,
    file,
    folder: dirname(resolve(file)),
    disk: realDisk,
  });
}

interface TextOptions extends ImportOptions {
  /** Name for places. */
  readonly file: string;
  readonly folder: string;
  readonly disk: Disk;
}

/** The pure part of `importFile`: reads nothing but its arguments. */
export function importText(text: string, { file, folder, disk, format, flags = [] }: TextOptions): Imported {
  const { root, faults, translation } = readSource(text, placeIn(file), { format, env: {}, flags });
  if (translation === undefined) {
    const isOwn = format === 'usher' || (root !== undefined && isOfUsher(root));
    const message = isOwn
      ? 'this is a file of Usher already'
      : `this is a configuration of no system that Usher knows; where it is one, say which by --format: ${FORMAT_NAMES.join(', ')}`;
    const own: Fault = { place: placeIn(file)(1, 1), path: '', message };
    throw new ConfigError(faults.length > 0 ? faults : [own]);
  }
  const { title, outcome, notes } = translation;
  if (outcome.kind === 'command') {
    if (faults.length > 0) throw new ConfigError(faults);
    return { title, output: `${outcome.line}\n`, notes, absent: [] };
  }
  const reading = new Reading({ env: {}, folder, disk, hostname: '' }, faults);
  usher.read(root ?? outcome.root, '', reading);
  const absent = reading.faults.filter(isAboutFile);
  if (absent.length < reading.faults.length)
    throw new ConfigError(reading.faults.filter((fault) => !isAboutFile(fault)));
  const made = `Made by usher import from ${basename(file)}, a configuration of ${title}.`;
  return { title, output: printConfig(outcome.root, made, notes), notes, absent };
}

/** A file may be translated elsewhere than where it is to run. */
function isAboutFile({ message }: Fault): boolean {
  return /^(there is no such file|the file cannot be read|this is a directory)/.test(message);
}
