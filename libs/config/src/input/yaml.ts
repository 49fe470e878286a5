import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import type { Fault, Place } from '../fault.ts';
import { type Entry, type Input, type MapInput, scalarInput } from './input.ts';
import { lastQuote } from './open-quote.ts';
import { positions } from './positions.ts';
import { yamlMessage } from './yaml-messages.ts';

/** Deeper than any configuration, shallow enough for every recursion over it. */
const DEPTH_MAX = 64;
/** Values reached through aliases; bounds what a few lines of aliases of aliases can grow to. */
const ALIASED_VALUES_MAX = 100_000;

export interface ParsedYaml {
  /** Undefined when there are faults that leave nothing to read on with. */
  readonly root: Input | undefined;
  readonly faults: readonly Fault[];
}

/** Reads one YAML 1.2 document (core schema) into values with places. `placeAt` turns line and column into a place. */
export function parseYaml(text: string, placeAt: (line: number, column: number) => Place): ParsedYaml {
  const positionOf = positions(text);
  const at = (offset: number): Place => placeAt(...positionOf(offset));
  const fault = (offset: number, message: string): Fault => ({ place: at(offset), path: '', message });
  // Not `silent`: a second document would go unnoticed.
  const document = parseDocument(text, {
    prettyErrors: false,
    logLevel: 'error',
    uniqueKeys: false,
    schema: 'core',
  });
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0) {
    const faults = broken.map((error) =>
      error.message.startsWith('Missing closing ')
        ? fault(lastQuote(text), 'the quote that opens here is not closed')
        : fault(error.pos[0], yamlMessage(error.code)),
    );
    return { root: undefined, faults: onePerLine(faults) };
  }
  if (document.directives?.yaml.explicit === true && document.directives.yaml.version !== '1.2') {
    return { root: undefined, faults: [fault(0, 'the %YAML line asks for another version than 1.2')] };
  }
  return new Converter(at, fault).convertRoot(document.contents);
}

/** The parser often reports consequences of a mistake on the same line; the first one is the mistake. */
function onePerLine(faults: readonly Fault[]): Fault[] {
  const seen = new Set<number>();
  return faults.filter(({ place }) => {
    if (place.kind !== 'file') return true;
    const first = !seen.has(place.line);
    seen.add(place.line);
    return first;
  });
}

/** Stops a conversion that would otherwise grow without bound. */
class TooMuch extends Error {}

class Converter {
  readonly #at: (offset: number) => Place;
  readonly #fault: (offset: number, message: string) => Fault;
  readonly #faults: Fault[] = [];
  /** The newest anchor of each name, because a later one of the same name replaces an earlier one. */
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #aliased = 0;
  #insideAlias = false;

  constructor(at: (offset: number) => Place, fault: (offset: number, message: string) => Fault) {
    this.#at = at;
    this.#fault = fault;
  }

  convertRoot(contents: unknown): ParsedYaml {
    if (contents === null || (isScalar(contents) && contents.value === null)) {
      return { root: undefined, faults: [this.#fault(0, 'the file is empty')] };
    }
    try {
      return { root: this.#convert(contents as Node, 0), faults: this.#faults };
    } catch (error) {
      if (!(error instanceof TooMuch)) throw error;
      return { root: undefined, faults: this.#faults };
    }
  }

  #convert(node: Node, depth: number): Input {
    const offset = node.range?.[0] ?? 0;
    if (depth > DEPTH_MAX) throw this.#tooMuch(offset, `it is nested more than ${DEPTH_MAX} levels deep`);
    if (this.#insideAlias && ++this.#aliased > ALIASED_VALUES_MAX) {
      throw this.#tooMuch(offset, `aliases repeat more than ${ALIASED_VALUES_MAX} values`);
    }
    if (isAlias(node)) return this.#convertAlias(node.source, offset, depth);
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined) {
      this.#anchors.set(node.anchor, node);
    }
    const at = this.#at(offset);
    if (isScalar(node)) return scalar(node, at);
    this.#open.add(node);
    const input: Input = isMap(node)
      ? this.#convertMap(node, at, depth)
      : {
          kind: 'list',
          at,
          items: isSeq(node) ? node.items.map((item) => this.#convert(item as Node, depth + 1)) : [],
        };
    this.#open.delete(node);
    return input;
  }

  #convertAlias(name: string, offset: number, depth: number): Input {
    const target = this.#anchors.get(name);
    if (target === undefined || this.#open.has(target)) {
      const what = target === undefined ? 'names no anchor before it' : 'stands inside the value it names';
      this.#faults.push(this.#fault(offset, `the alias *${name} ${what}`));
      return scalarInput(null, this.#at(offset));
    }
    const outermost = !this.#insideAlias;
    this.#insideAlias = true;
    const input = this.#convert(target, depth + 1);
    if (outermost) this.#insideAlias = false;
    return input;
  }

  #convertMap(map: YAMLMap, at: Place, depth: number): MapInput {
    const entries = new Map<string, Entry>();
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      const offset = pair.key?.range?.[0] ?? map.range?.[0] ?? 0;
      const key = isScalar(pair.key) ? keyText(pair.key) : '';
      const keyAt = this.#at(offset);
      const value = pair.value === null ? scalarInput(null, keyAt) : this.#convert(pair.value, depth + 1);
      if (key === '') {
        this.#faults.push(this.#fault(offset, 'a key must be text'));
      } else if (entries.has(key)) {
        const first = entries.get(key)!.keyAt;
        const where = first.kind === 'file' ? `, first in line ${first.line}` : '';
        this.#faults.push(this.#fault(offset, `the key ${JSON.stringify(key)} is given twice${where}`));
      } else {
        entries.set(key, { keyAt, value });
      }
    }
    return { kind: 'map', entries, at };
  }

  #tooMuch(offset: number, message: string): TooMuch {
    this.#faults.push(this.#fault(offset, message));
    return new TooMuch(message);
  }
}

function keyText(key: Scalar): string {
  return key.source ?? '';
}

function scalar({ value, source = '' }: Scalar, at: Place): Input {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') {
    return { kind: 'scalar', value, text: source, loose: false, at };
  }
  return scalarInput(typeof value === 'string' ? value : source, at);
}
