import type { PluginSettings } from './settings.ts';

/** Content codings (RFC 9110 section 8.4.1, RFC 7932, RFC 8878), the ones that cost least for what they save first. */
const CODINGS = ['zstd', 'br', 'gzip'] as const;
export type Coding = (typeof CODINGS)[number];

/** How answers are compressed. */
export interface CompressionSettings {
  /** What may be used; of those that a client likes the same, the first is. */
  readonly codings: readonly Coding[];
  readonly levels: Readonly<Record<Coding, number>>;
  /** Answers known to be shorter are left alone; one of unknown length is compressed. */
  readonly minSizeBytes: number;
  /** Media types in lower case, in which `*` stands for anything; undefined = whatever is known to be made of text. */
  readonly types: readonly string[] | undefined;
}

/** What is wrong with a plugin that names no file. */
export interface PluginFault {
  /** The option that it is about, or `name`. */
  readonly key: string;
  readonly message: string;
}

type Options = PluginSettings['options'];
type Read = (options: Options) => CompressionSettings | PluginFault;

const MIN_SIZE_BYTES = 1024;
/** What a zstd window of 8 MiB, the most that clients must be able to decode (RFC 9659), and a live answer have time for. */
const LEVELS_MAX: Readonly<Record<Coding, number>> = { zstd: 19, br: 11, gzip: 9 };
/** From here on each saves a few percent for twice the time, and somebody is waiting for the answer. */
const LEVELS: Readonly<Record<Coding, number>> = { zstd: 3, br: 4, gzip: 4 };
const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
};
const MEDIA_TYPE = /^[\w!#$&^.+*-]+\/[\w!#$&^.+*-]+$/;

const BUILT_IN: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['compression', compression],
  // As it was before there were others, for those who have it.
  ['gzip', gzip],
]);

/** What a plugin without a file of its own is to do, or why there is no such plugin. */
export function builtInPlugin({ name, options }: PluginSettings): CompressionSettings | PluginFault {
  const read = BUILT_IN.get(name);
  if (read !== undefined) return read(options);
  const names = [...BUILT_IN.keys()].join(' and ');
  const message = `there is no built-in plugin ${JSON.stringify(name)}, only ${names}; a plugin of your own needs a file`;
  return { key: 'name', message };
}

function gzip(options: Options): CompressionSettings | PluginFault {
  const fault = unknownOption(options, ['min_size']);
  if (fault !== undefined) return fault;
  const { min_size: minSize = MIN_SIZE_BYTES } = options;
  const minSizeBytes = bytesOf(minSize);
  if (minSizeBytes === undefined) return NO_SIZE;
  return { codings: ['br', 'gzip'], levels: { ...LEVELS, gzip: 6 }, minSizeBytes, types: undefined };
}

function compression(options: Options): CompressionSettings | PluginFault {
  const fault = unknownOption(options, ['codings', 'levels', 'min_size', 'types']);
  if (fault !== undefined) return fault;
  const { codings = CODINGS, levels: given = {}, min_size: minSize = MIN_SIZE_BYTES, types } = options;
  const minSizeBytes = bytesOf(minSize);
  if (minSizeBytes === undefined) return NO_SIZE;
  if (!isListOf(codings, isCoding) || new Set(codings).size < codings.length)
    return { key: 'codings', message: `expected a list of ${CODINGS.join(', ')}, each once at most` };
  const levels = levelsOf(given);
  if (levels === undefined) {
    const ranges = CODINGS.map((coding) => `${coding} from 1 to ${LEVELS_MAX[coding]}`);
    return { key: 'levels', message: `expected a map with ${ranges.join(', ')}` };
  }
  if (types !== undefined && !isListOf(types, isMediaType))
    return { key: 'types', message: 'expected a list of media types such as text/* or application/json' };
  return { codings, levels, minSizeBytes, types: types?.map((type) => type.toLowerCase()) };
}

const NO_SIZE: PluginFault = { key: 'min_size', message: 'expected a size such as 1KiB' };

function unknownOption(options: Options, known: readonly string[]): PluginFault | undefined {
  const key = Object.keys(options).find((name) => !known.includes(name));
  if (key === undefined) return undefined;
  return { key, message: `there is no option ${key}, only ${known.join(', ')}` };
}

/** Options arrive as they were written; a size has its unit or is a number of bytes. */
function bytesOf(size: unknown): number | undefined {
  const [, amount = '', unit = ''] = /^(\d{1,15})([A-Za-z]*)$/.exec(String(size)) ?? [];
  const factor = SIZE_UNITS[unit];
  return amount === '' || factor === undefined ? undefined : Number(amount) * factor;
}

function levelsOf(given: unknown): Record<Coding, number> | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
  const levels = { ...LEVELS };
  for (const [coding, level] of Object.entries(given)) {
    if (!isCoding(coding) || !Number.isInteger(level)) return undefined;
    if (level < 1 || level > LEVELS_MAX[coding]) return undefined;
    levels[coding] = level;
  }
  return levels;
}

function isListOf<T>(value: unknown, isOne: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.length > 0 && value.every(isOne);
}

function isCoding(value: unknown): value is Coding {
  return CODINGS.some((coding) => coding === value);
}

function isMediaType(value: unknown): value is string {
  return typeof value === 'string' && MEDIA_TYPE.test(value);
}
