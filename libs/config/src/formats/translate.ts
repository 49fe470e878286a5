import type { Fault, Place } from '../fault.ts';
import type { Input } from '../input/input.ts';
import { parseYaml } from '../input/yaml.ts';
import { suggest } from '../suggest.ts';
import { strangers } from './foreign-file.ts';
import type { KeyedFormat, Outcome } from './format.ts';
import { FORMAT_NAMES, GRAMMARS, type Grammar, KEYED_FORMATS } from './formats.ts';
import { withOverlays } from './overlays.ts';
import { recognise } from './recognise.ts';
import { type Note, Remarks } from './remarks.ts';

/** What says how a file of another system is to be read. */
export interface ForeignOptions {
  /** The name of its format, or `usher`. Found out by its keys when it is not given. */
  readonly format?: string | undefined;
  /** Environment, in which the system's own variables count. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The system's own flags. */
  readonly flags: readonly string[];
}

/** What became of a file of another system. */
export interface Translation {
  /** As `--format` takes it. */
  readonly format: string;
  /** What people call the system. */
  readonly title: string;
  /** What there is to say about what is not the same. */
  readonly notes: readonly Note[];
  readonly outcome: Outcome;
}

/** A configuration as it was written, by whomever. */
export interface Source {
  /** Undefined when there are faults that leave nothing to read on with. */
  readonly root: Input | undefined;
  readonly faults: readonly Fault[];
  /** Absent for Usher's own files. */
  readonly translation?: Translation;
}

type PlaceAt = (line: number, column: number) => Place;

/** Reads a file of Usher or of any system that it knows. Never throws. */
export function readSource(text: string, placeAt: PlaceAt, options: ForeignOptions): Source {
  const { format } = options;
  if (format !== undefined && format !== 'usher' && !FORMAT_NAMES.includes(format)) {
    const place: Place = { kind: 'override', label: 'flag --format', path: '' };
    const message = `there is no format ${JSON.stringify(format)}; there are ${['usher', ...FORMAT_NAMES].join(', ')}`;
    return failed([{ place, path: '', message, suggestion: suggest(format, FORMAT_NAMES) }]);
  }
  const grammar = GRAMMARS.find(({ name, sniff }) => (format === undefined ? sniff(text) : name === format));
  if (grammar !== undefined) return ofGrammar(grammar, text, placeAt, options);
  const { root, faults } = parseYaml(text, placeAt);
  if (root === undefined) return { root, faults };
  const named = KEYED_FORMATS.find(({ name }) => name === format);
  if (named !== undefined) return ofKeys(named, root, faults, options);
  const recognised = format === undefined ? recognise(root, KEYED_FORMATS) : ({ kind: 'usher' } as const);
  if (recognised.kind === 'format') return ofKeys(recognised.format, root, faults, options);
  if (recognised.kind === 'ambiguous') return failed([...faults, ambiguity(recognised.formats, root)]);
  return { root, faults: [...faults, ...withoutFlags(options)] };
}

/** Reads what a process is to run with: a file that has to be looked over first, or is of no load balancer, is refused. */
export function readRunnable(text: string, placeAt: PlaceAt, options: ForeignOptions): Source {
  const source = readSource(text, placeAt, options);
  const { translation, faults } = source;
  if (translation === undefined) return source;
  const { format, title, outcome } = translation;
  const isGrammar = GRAMMARS.some(({ name }) => name === format);
  if (outcome.kind === 'config' && !isGrammar) return source;
  const message = isGrammar
    ? `this is a configuration of ${title}, of which not all can be translated; look over what \`usher import\` makes of it, and run that`
    : `this is a configuration of ${title}, which is no load balancer; \`usher import\` prints the command for it`;
  return failed([{ place: placeAt(1, 1), path: '', message }, ...faults]);
}

function failed(faults: readonly Fault[]): Source {
  return { root: undefined, faults };
}

/** Told of the first key, as of any: what it is of is open. */
function ambiguity(formats: readonly KeyedFormat[], root: Input): Fault {
  const titles = formats.map(({ title }) => title).join(', ');
  const names = formats.map(({ name }) => `--format ${name}`).join(' or ');
  const [path, { keyAt: place }] = (root.kind === 'map' ? [...root.entries][0] : undefined) ?? [
    '',
    { keyAt: root.at },
  ];
  return { place, path, message: `this could be a file of each of ${titles}; say which by ${names}` };
}

/** Only systems that have flags of their own take any. */
function withoutFlags({ flags }: ForeignOptions): Fault[] {
  const [first] = flags;
  if (first === undefined) return [];
  const place: Place = { kind: 'override', label: `argument ${first}`, path: '' };
  return [
    {
      place,
      path: '',
      message: 'what stands behind -- are flags of another system; this is a file of Usher',
    },
  ];
}

function ofGrammar(grammar: Grammar, text: string, placeAt: PlaceAt, options: ForeignOptions): Source {
  const remarks = new Remarks();
  const { name: format, title } = grammar;
  const root = grammar.translate(text, placeAt, remarks);
  const faults = [...remarks.faults, ...withoutFlags(options)];
  if (root === undefined) return failed(faults);
  return sourceOf({ format, title }, { kind: 'config', root }, faults, remarks);
}

function ofKeys(
  keyed: KeyedFormat,
  written: Input,
  faults: readonly Fault[],
  { env, flags }: ForeignOptions,
): Source {
  const { name: format, title, table } = keyed;
  const remarks = new Remarks();
  for (const { path, at } of strangers(table, written)) {
    const meant = suggest(path, Object.keys(table));
    const hint = meant === undefined ? '' : `, did you mean ${JSON.stringify(meant)}?`;
    remarks.lost(path, at, `${title} has no such key${hint}`);
  }
  const input = withOverlays(written, keyed, env, flags, remarks);
  const outcome = keyed.translate(input, remarks);
  return sourceOf({ format, title }, outcome, [...faults, ...remarks.faults], remarks);
}

function sourceOf(
  system: Pick<Translation, 'format' | 'title'>,
  outcome: Outcome,
  faults: readonly Fault[],
  remarks: Remarks,
): Source {
  const root = outcome.kind === 'config' ? outcome.root : undefined;
  return { root, faults, translation: { ...system, outcome, notes: remarks.notes } };
}
