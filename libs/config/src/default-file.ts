import type { Plain } from './input/input.ts';
import { root } from './keys/root.ts';
import type { Key, Shape, Type } from './types/type.ts';
import { writtenYaml } from './written-yaml.ts';

const HEAD = `# Every key of Usher's configuration that has a default, with it: leave out what you do not change.`;
const HEAD_FULL = `# Every key of Usher's configuration. Those that have a default have it. Lines that begin with #, and no space or
# several behind it, show the others: take the # away, and write what stands in <>.`;

const INDENT = '  ';

export interface DefaultFileOptions {
  /** With all keys that have no default, commented out. */
  readonly full: boolean;
}

/** A configuration file that says what holds without one; made from the declarations, each key with a line about it. */
export function defaultFile({ full }: DefaultFileOptions): string {
  const writer = new Writer(full);
  writer.section(root.shape, '');
  return `${full ? HEAD_FULL : HEAD}\n\n${writer.lines.join('\n')}\n`;
}

class Writer {
  readonly lines: string[] = [];
  readonly #full: boolean;
  /** Inside what is commented out all is. */
  #commented = false;

  constructor(full: boolean) {
    this.#full = full;
  }

  section(shape: Shape, indent: string): void {
    if (shape.kind !== 'section') return;
    for (const [name, key] of Object.entries(shape.keys)) this.#key(name, key, indent);
  }

  #key(name: string, key: Key, indent: string): void {
    const { fallback, type } = key;
    const inner = sectionIn(type.shape);
    if (fallback.kind !== 'default' || (this.#commented && hasKeys(type.shape))) {
      if (this.#full) this.#example(name, key, indent);
    } else if (!isEmptyMap(fallback.value)) {
      this.#say(key, `${name}: ${writtenYaml(fallback.value)}`, indent);
      if (this.#full && hasKeys(type.shape)) this.#alternative(name, type.shape, indent);
    } else if (inner !== undefined) {
      this.#say(key, `${name}:`, indent);
      this.section(inner, indent + INDENT);
    } else if (this.#full) {
      // A map by names that the user chooses.
      this.#example(name, key, indent);
    } else {
      this.#say(key, `${name}: {}`, indent);
    }
  }

  #say(key: Key, line: string, indent: string): void {
    const blank = indent === '' && this.lines.length > 0 ? [''] : [];
    this.lines.push(
      ...blank,
      `${this.#mark()}${indent}# ${firstSentence(key.doc)}`,
      this.#mark() + indent + line,
    );
  }

  /** A key that is not there by default, with all that could be in it, commented out. */
  #example(name: string, key: Key, indent: string): void {
    const before = this.#commented;
    this.#commented = true;
    this.#say(key, `${name}:${valueOf(key.type, key.fallback)}`, indent);
    this.#inside(key.type.shape, indent + INDENT);
    this.#commented = before;
  }

  /** What could be there instead of the default, which is a word or an empty list. */
  #alternative(name: string, shape: Shape, indent: string): void {
    this.#commented = true;
    this.lines.push(`${this.#mark()}${indent}# Or:`, `${this.#mark()}${indent}${name}:`);
    this.#inside(shape, indent + INDENT);
    this.#commented = false;
  }

  #inside(shape: Shape, indent: string): void {
    switch (shape.kind) {
      case 'scalar':
        return;
      case 'section':
        this.section(shape, indent);
        return;
      case 'either':
        this.#inside(shape.other.shape, indent);
        return;
      case 'record':
        this.lines.push(`${this.#mark()}${indent}${shape.name}:`);
        this.#inside(shape.value.shape, indent + INDENT);
        return;
      case 'list':
        if (!hasKeys(shape.item.shape)) return;
        this.lines.push(`${this.#mark()}${indent}-`);
        this.#inside(shape.item.shape, indent + INDENT);
    }
  }

  #mark(): string {
    return this.#commented ? '#' : '';
  }
}

/** What an example has behind its colon; nothing where its keys follow. */
function valueOf({ shape, expects }: Type<unknown>, fallback: Key['fallback']): string {
  if (hasKeys(shape)) return '';
  if (fallback.kind === 'default') return ` ${writtenYaml(fallback.value)}`;
  return ` <${expects}>`;
}

/** The section that a value is, or can be instead of a word. */
function sectionIn(shape: Shape): Shape | undefined {
  if (shape.kind === 'section') return shape;
  return shape.kind === 'either' ? sectionIn(shape.other.shape) : undefined;
}

function hasKeys(shape: Shape): boolean {
  switch (shape.kind) {
    case 'scalar':
      return false;
    case 'section':
    case 'record':
      return true;
    case 'either':
      return hasKeys(shape.other.shape);
    case 'list':
      return hasKeys(shape.item.shape);
  }
}

function isEmptyMap(value: Plain): boolean {
  return JSON.stringify(value) === '{}';
}

function firstSentence(doc: string): string {
  return /^.*?\.(?= |$)/s.exec(doc)?.[0] ?? doc;
}
