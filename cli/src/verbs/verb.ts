/** What the value of an option or an argument may be, for those who complete it. */
type Completion = { readonly words: readonly string[] } | { readonly paths: 'files' | 'folders' };

interface TextOption {
  readonly type: 'string';
  /** What stands for the value in the usage, such as `FILE`. */
  readonly value: string;
  readonly doc: string;
  readonly short?: string;
  /** It may be given several times; its value is a list. */
  readonly multiple?: true;
  readonly required?: true;
  readonly default?: string;
  /** With `words` nothing else is taken. */
  readonly takes?: Completion;
}

interface Switch {
  readonly type: 'boolean';
  readonly doc: string;
  readonly short?: string;
}

export type Option = TextOption | Switch;
export type Options = Readonly<Record<string, Option>>;

/** Something that is given without a name, in the order of the declaration; those that may be left out come last. */
export interface Argument {
  readonly doc: string;
  readonly optional?: true;
  readonly takes?: Completion;
}
export type Arguments = Readonly<Record<string, Argument>>;

/** A verb of the command line: usage, help, completion and its page of the reference are made from it. */
export interface Verb<O extends Options = Options, A extends Arguments = Arguments> {
  /** One word, or two such as `backends add`. */
  readonly name: string;
  /** A second word that changes nothing: `usher backends list` is `usher backends`. */
  readonly also?: string;
  /** What it does, as the end of "usher … will". */
  readonly summary: string;
  /** Sentences that the options do not say. */
  readonly notes?: readonly string[];
  readonly arguments: A;
  readonly options: O;
  /** What it takes behind `--`, as it is written there; without it nothing stands there. */
  readonly behind?: { readonly value: string; readonly doc: string };
}

type TextOf<T> = T extends { readonly multiple: true }
  ? readonly string[]
  : T extends { readonly required: true } | { readonly default: string }
    ? string
    : string | undefined;

/** A command line as its verb reads it; a switch that is not given is false, a list that is not given is empty. */
export interface Given<V extends Verb> {
  readonly options: {
    readonly [K in keyof V['options']]: V['options'][K] extends Switch ? boolean : TextOf<V['options'][K]>;
  };
  readonly arguments: {
    readonly [K in keyof V['arguments']]: V['arguments'][K] extends { readonly optional: true }
      ? string | undefined
      : string;
  };
  /** What stands behind `--`. */
  readonly behind: readonly string[];
}

/** Declares a verb with the types of its options. */
export function verb<const O extends Options, const A extends Arguments = Arguments>(
  parts: Omit<Verb<O, A>, 'arguments'> & { readonly arguments?: A },
): Verb<O, A> {
  const none: Arguments = {};
  return { ...parts, arguments: parts.arguments ?? (none as A) };
}
