import type { Input, MapInput } from '../input/input.ts';
import { ForeignFile, type ForeignTable } from './foreign-file.ts';
import type { Remarks } from './remarks.ts';

/** An environment variable or a flag of another system that lies over its file. */
export interface Overlay {
  /** `LB_PORT`, or `port` for the flag `-port`. */
  readonly name: string;
  /** The key that it gives a value to. */
  readonly key: string;
}

/** A system whose configuration files are YAML or JSON. */
export interface KeyedFormat {
  readonly name: string;
  /** What people call it. */
  readonly title: string;
  readonly table: ForeignTable;
  /** Later ones count more. */
  readonly variables: readonly Overlay[];
  readonly flags: readonly Overlay[];
  readonly translate: (root: Input, remarks: Remarks) => Outcome;
}

/** What a file becomes: a configuration, or the command line of something that is no load balancer. */
export type Outcome =
  | { readonly kind: 'config'; readonly root: MapInput }
  | { readonly kind: 'command'; readonly line: string };

interface Parts<T extends ForeignTable> extends Omit<KeyedFormat, 'translate' | 'table'> {
  readonly table: T;
  readonly translate: (file: ForeignFile<T>) => MapInput | string;
}

export function keyedFormat<T extends ForeignTable>(parts: Parts<T>): KeyedFormat {
  const { table, translate } = parts;
  return {
    ...parts,
    translate: (input, remarks) => {
      const made = translate(new ForeignFile(table, input, remarks));
      return typeof made === 'string' ? { kind: 'command', line: made } : { kind: 'config', root: made };
    },
  };
}
