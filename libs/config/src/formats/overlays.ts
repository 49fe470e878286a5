import type { Place } from '../fault.ts';
import { type Input, scalarInput } from '../input/input.ts';
import { suggest } from '../suggest.ts';
import type { KeyedFormat, Overlay } from './format.ts';
import type { Remarks } from './remarks.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Lays a system's own variables and then its own flags over what its file says. */
export function withOverlays(
  root: Input,
  { variables, flags, title }: KeyedFormat,
  env: Environment,
  args: readonly string[],
  remarks: Remarks,
): Input {
  let laid = root;
  for (const { name, key } of variables) {
    const text = env[name];
    // What is empty counts as not set, as it does in these systems.
    if (text !== undefined && text !== '') laid = lay(laid, key, text, `env ${name}`);
  }
  for (const { name, text } of parsedFlags(args, remarks)) {
    const flag = flags.find((known) => known.name === name);
    if (flag !== undefined) laid = lay(laid, flag.key, text, `flag -${name}`);
    else remarks.fault('', override(`flag -${name}`), unknownFlag(name, title), suggest(name, names(flags)));
  }
  return laid;
}

function names(flags: readonly Overlay[]): string[] {
  return flags.map(({ name }) => name);
}

function unknownFlag(name: string, title: string): string {
  return name === 'config' ? 'name the file with --config of Usher' : `${title} has no such flag`;
}

function override(label: string, path = ''): Place {
  return { kind: 'override', label, path };
}

interface Flag {
  readonly name: string;
  readonly text: string;
}

/** Flags as Go's programs take them: `-port 9000`, `-port=9000`, both also with two dashes. */
function parsedFlags(args: readonly string[], remarks: Remarks): Flag[] {
  const flags: Flag[] = [];
  for (let index = 0; index < args.length; index++) {
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(args[index]!);
    if (match === null) {
      remarks.fault('', override(`argument ${args[index]}`), 'expected a flag such as -port 9000');
      continue;
    }
    const [, name = '', inline] = match;
    const text = inline ?? args[++index];
    if (text === undefined) remarks.fault('', override(`flag -${name}`), 'its value is missing');
    else flags.push({ name, text });
  }
  return flags;
}

/** Puts a value at a key; what is in its way gives way. */
function lay(root: Input, key: string, text: string, label: string): Input {
  const at = override(label, key);
  const put = (current: Input | undefined, segments: readonly string[]): Input => {
    const [name, ...below] = segments;
    if (name === undefined) return scalarInput(text.trim(), at, true);
    const entries = new Map(current?.kind === 'map' ? current.entries : []);
    entries.set(name, { keyAt: at, value: put(entries.get(name)?.value, below) });
    return { kind: 'map', entries, at: current?.at ?? at };
  };
  return put(root, key.split('.'));
}
