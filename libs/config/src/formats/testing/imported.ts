import { parse } from 'yaml';
import { ConfigError } from '../../fault.ts';
import { emptyDisk } from '../../input/disk.ts';
import { parseConfigText } from '../../load.ts';
import { importText } from '../import.ts';
import { formatNote } from '../remarks.ts';

export interface ImportedForTest {
  /** The file of Usher that was printed, read as YAML. */
  readonly file: Record<string, unknown>;
  /** What was said, without the name of the file. */
  readonly notes: readonly string[];
}

const FILE = 'f';

/** Imports a text of another system. Usher loads what comes out, unless it names files, none of which are there. */
export function imported(text: string, format?: string, flags: readonly string[] = []): ImportedForTest {
  const { output, notes, absent } = importText(text, {
    file: FILE,
    folder: '/',
    disk: emptyDisk,
    format,
    flags,
  });
  if (absent.length === 0) parseConfigText(output);
  return { file: parse(output), notes: notes.map((note) => formatNote(note).replace(/^f:/, '')) };
}

/** What is wrong with a text of another system, without the name of the file. */
export function importFaults(text: string, format?: string): readonly string[] {
  try {
    importText(text, { file: FILE, folder: '/', disk: emptyDisk, format });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n').map((line) => line.replace(/^f:/, ''));
    throw error;
  }
}
