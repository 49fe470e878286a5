import type { Input, Plain } from '../input/input.ts';
import type { Reading } from '../reading.ts';

/** A JSON Schema (draft 2020-12). */
export type JsonSchema = { readonly [keyword: string]: JsonSchema | Plain | readonly JsonSchema[] };

/** What a value may be. From these the parser, the JSON Schema and the reference page are made. */
export interface Type<T> {
  /** What is expected, as the end of a sentence: `a duration such as 30s`. */
  readonly expects: string;
  readonly jsonSchema: JsonSchema;
  readonly shape: Shape;
  /** Reads a value. Faults go to `reading`; a usable stand-in is returned then, so that reading goes on. */
  read(input: Input, path: string, reading: Reading): T;
  /**
   * The value as a file would have it, so that what came another way can be read as if it stood there. Absent for what comes in files
   * alone.
   */
  write?(value: T): Plain;
}

/** How values are nested; overrides find their key by it and the reference page its sections. */
export type Shape =
  | { readonly kind: 'scalar' }
  | { readonly kind: 'section'; readonly keys: Readonly<Record<string, Key>>; readonly open: boolean }
  | { readonly kind: 'list'; readonly item: Type<unknown> }
  | { readonly kind: 'record'; readonly name: string; readonly value: Type<unknown> }
  | { readonly kind: 'either'; readonly word: Type<unknown>; readonly other: Type<unknown> };

export const SCALAR: Shape = { kind: 'scalar' };

/** One key of a section: everything there is to say about it, said once. */
export interface Key<T = unknown, To extends string = string> {
  /** Name in the normalised settings, with its unit. */
  readonly to: To;
  readonly type: Type<T>;
  /** One or two sentences of documentation. */
  readonly doc: string;
  /** Why the default or the limit is what it is. */
  readonly why?: string;
  readonly fallback: Fallback;
}

/** What holds when a key is absent: it may not be, a value as one would write it, or something said in words. */
export type Fallback =
  | { readonly kind: 'required' }
  | { readonly kind: 'default'; readonly value: Plain }
  | { readonly kind: 'absent'; readonly doc: string };

/** Why a text is not a value of a type, and what was probably meant. */
export class Refusal {
  readonly message: string;
  readonly suggestion: string | undefined;

  constructor(message: string, suggestion?: string) {
    this.message = message;
    this.suggestion = suggestion;
  }
}

export function refuse(message: string, suggestion?: string): Refusal {
  return new Refusal(message, suggestion);
}
