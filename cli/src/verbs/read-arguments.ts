import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from '../io.ts';
import type { Arguments, Given, Option, Options, Verb } from './verb.ts';

type Read = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/** Reads a command line as its verb declares it. Throws UsageError for whatever that does not take. */
export function readArguments<V extends Verb>(verb: V, args: readonly string[]): Given<V> {
  const dashes = verb.behind === undefined ? -1 : args.indexOf('--');
  const end = dashes === -1 ? args.length : dashes;
  const { values, positionals } = parse(verb.options, args.slice(0, end));
  const given = {
    behind: args.slice(end + 1),
    options: optionsOf(verb.options, values),
    arguments: argumentsOf(verb.arguments, positionals),
  };
  return given as Given<V>;
}

function parse(options: Options, args: readonly string[]): { values: Read; positionals: readonly string[] } {
  const config: NonNullable<ParseArgsConfig['options']> = {};
  for (const [name, option] of Object.entries(options)) {
    const { type, short } = option;
    const multiple = type === 'string' && option.multiple === true;
    config[name] = { type, multiple, ...(short === undefined ? {} : { short }) };
  }
  try {
    return parseArgs({ args: [...args], options: config, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function optionsOf(options: Options, values: Read): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(options)) read[name] = optionOf(name, option, values[name]);
  return read;
}

function optionOf(name: string, option: Option, value: Read[string]): unknown {
  if (option.type === 'boolean') return value === true;
  const { multiple, required, takes } = option;
  const texts = [value ?? option.default ?? []].flat().filter((each) => typeof each === 'string');
  for (const text of texts) checkWord(`--${name}`, takes, text);
  if (multiple === true) return texts;
  if (required === true && texts.length === 0) throw new UsageError(`--${name} is needed`);
  return texts[0];
}

function argumentsOf(
  declared: Arguments,
  positionals: readonly string[],
): Record<string, string | undefined> {
  const read: Record<string, string | undefined> = {};
  const names = Object.entries(declared);
  for (const [at, [name, { optional, takes, doc }]] of names.entries()) {
    const text = positionals[at];
    if (text === undefined && optional !== true) throw new UsageError(`${name} is missing: ${doc}`);
    if (text !== undefined) checkWord(name, takes, text);
    read[name] = text;
  }
  const more = positionals.slice(names.length);
  if (more.length > 0) throw new UsageError(`unexpected argument: ${more.join(' ')}`);
  return read;
}

function checkWord(name: string, takes: TakesWords, text: string): void {
  if (takes === undefined || !('words' in takes) || takes.words.includes(text)) return;
  throw new UsageError(`${name} takes one of ${takes.words.join(', ')}, not ${text}`);
}

type TakesWords = Arguments[string]['takes'];
