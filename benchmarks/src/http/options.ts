import { parseArgs } from 'node:util';
import { UsageError } from '../usage-error.ts';

/** What a run can be limited to, by flag: the names that there are. */
type Choices = Readonly<Record<string, readonly string[]>>;

export interface Options<C extends Choices = Choices> {
  /** The names wanted of each choice, in the order of the choice. */
  readonly chosen: C;
  /** Length of one measurement. */
  readonly seconds: number;
  /** How often each contender is measured. */
  readonly rounds: number;
  readonly json: boolean;
  readonly save: boolean;
}

const SECONDS_MAX = 60;
const ROUNDS_MAX = 50;

export function readOptions<C extends Choices>(args: readonly string[], choices: C): Options<C> {
  const values = parse(args, Object.keys(choices));
  const chosen = Object.entries(choices).map(([flag, all]) => {
    const given = values[flag];
    return [flag, choice(flag, Array.isArray(given) ? given : undefined, all)] as const;
  });
  return {
    chosen: Object.fromEntries(chosen) as C,
    seconds: count('seconds', values['seconds'], SECONDS_MAX),
    rounds: count('rounds', values['rounds'], ROUNDS_MAX),
    json: values['json'] === true,
    save: values['save'] === true,
  };
}

function parse(args: readonly string[], flags: readonly string[]) {
  const chosen = flags.map((flag) => [flag, { type: 'string' as const, multiple: true }] as const);
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...Object.fromEntries(chosen),
        seconds: { type: 'string', default: '5' },
        rounds: { type: 'string', default: '5' },
        json: { type: 'boolean', default: false },
        save: { type: 'boolean', default: false },
      },
    }).values as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** Names given once, several times or with commas between them; none = all. */
function choice(
  flag: string,
  given: readonly string[] | undefined,
  all: readonly string[],
): readonly string[] {
  const wanted = given?.flatMap((each) => each.split(',')) ?? all;
  const unknown = wanted.find((name) => !all.includes(name));
  if (unknown !== undefined) throw new UsageError(`--${flag} ${unknown}: there are ${all.join(', ')}`);
  return all.filter((name) => wanted.includes(name));
}

function count(flag: string, text: unknown, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new UsageError(`--${flag} takes a whole number from 1 to ${max}, not ${String(text)}`);
}
