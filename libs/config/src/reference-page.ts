import type { Plain } from './input/input.ts';
import { root } from './keys/root.ts';
import { join } from './reading.ts';
import type { Fallback, Key, Shape, Type } from './types/type.ts';

const INTRODUCTION = `# Configuration reference

Made from the declarations in \`libs/config/src/keys\`; a test holds the two equal, and
\`npx vitest run libs/config -u\` writes this page anew.

One YAML 1.2 file. \`usher check FILE\` reads it and names every fault at once, each with its place:

\`\`\`
usher.yaml:4:9 timeouts.idle: a duration needs its unit, did you mean "30s"?
\`\`\`

\`usher check FILE --explain\` prints every value in force and where it comes from. \`usher schema\` prints the JSON
Schema, which is also in [usher.schema.json](../../usher.schema.json); [usher.example.yaml](../../usher.example.yaml)
is an example.

## How values are written

| Value | Form |
|---|---|
| duration | a number and \`ms\`, \`s\`, \`m\` or \`h\`: \`500ms\`, \`30s\`, \`1.5h\` |
| size | a number and \`B\`, \`KiB\`, \`MiB\`, \`GiB\` (1024 each) or \`KB\`, \`MB\`, \`GB\` (1000 each): \`64KiB\` |
| percentage | \`20%\` |
| address | \`0.0.0.0:8080\`, \`[::1]:8080\`, \`localhost:8080\`; \`:8080\` is every IPv4 address; port 0 is any free port |
| network | CIDR notation: \`10.0.0.0/8\`, \`fd00::/8\`; no bits after the prefix |
| id | up to 63 letters, digits, \`-\` and \`_\`, the first one a letter or digit |
| secret | the text itself, \`env:NAME\` or \`file:path\`; a newline at the end of the file does not count |

- Keys that are not on this page are refused, and so are keys without a value, numbers without their unit and keys
  given twice.
- Relative paths start at the folder of the file.
- Anchors and aliases of YAML work; merge keys (\`<<\`), tags and a second document do not.

## Overrides

Environment variables lie over the file, and \`--set key.path=value\` lies over both.

- The name of a variable is \`USHER_\` and the path of the key in upper case, its parts joined by two underscores:
  \`USHER_WORKERS=2\`, \`USHER_TIMEOUTS__IDLE=60s\`, \`USHER_POOLS__WEB__STRATEGY=p2c\`. In ids, \`-\` is written \`_\`.
- Lists are separated by commas (\`USHER_BUS__SERVERS=nats://a,nats://b\`), or one line of YAML like maps are
  (\`--set 'pools.web.retry={ attempts: 2 }'\`). What is inside a list cannot be overridden by itself.
- A variable that begins with \`USHER_\` and names no key is a fault, unless a secret of the file refers to it or
  Kubernetes sets it for a service (\`USHER_SERVICE_HOST\`, \`USHER_PORT_8080_TCP\`, …).

## Local and shared keys

\`pools\`, \`routes\`, \`timeouts\`, \`limits\` and \`trusted_proxies\` are shared: they become events, and the whole fleet
follows the newest. All others belong to the process that reads the file.
`;

/** The reference page of the configuration, in Markdown. */
export function referencePage(): string {
  const sections = sectionsOf('', root.shape).map(({ path, keys }) => renderSection(path, keys));
  return [INTRODUCTION, ...sections].join('\n');
}

interface DocumentedSection {
  readonly path: string;
  readonly keys: Readonly<Record<string, Key>>;
}

/** The sections in the order in which they are declared, outer ones first. */
function sectionsOf(path: string, shape: Shape): DocumentedSection[] {
  switch (shape.kind) {
    case 'scalar':
      return [];
    case 'either':
      return sectionsOf(path, shape.other.shape);
    case 'list':
      return sectionsOf(`${path}[]`, shape.item.shape);
    case 'record':
      return sectionsOf(join(path, shape.name), shape.value.shape);
    case 'section': {
      const below = Object.entries(shape.keys).flatMap(([name, key]) =>
        sectionsOf(join(path, name), key.type.shape),
      );
      return [{ path, keys: shape.keys }, ...below];
    }
  }
}

function renderSection(path: string, keys: Readonly<Record<string, Key>>): string {
  const heading = path === '' ? '## Top level' : `## \`${path}\``;
  const rows = Object.entries(keys).map(([name, key]) => {
    const meaning = key.why === undefined ? key.doc : `${key.doc} *Why:* ${key.why}`;
    return `| \`${name}\` | ${[valueOf(key.type), fallbackOf(key.fallback), meaning].map(cell).join(' | ')} |`;
  });
  return [heading, '', '| Key | Value | Default | Meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}

/** Sections are described by their own table. */
function valueOf(type: Type<unknown>): string {
  const { shape } = type;
  switch (shape.kind) {
    case 'scalar':
      return type.expects.replaceAll(/[*_]/g, String.raw`\$&`);
    case 'section':
      return 'a map, below';
    case 'record':
      return `a map from ${shape.name} to ${valueOf(shape.value)}`;
    case 'list':
      return `a list, each ${valueOf(shape.item)}`;
    case 'either':
      return `${valueOf(shape.word)}, or ${valueOf(shape.other)}`;
  }
}

function fallbackOf(fallback: Fallback): string {
  if (fallback.kind === 'required') return '**must be given**';
  if (fallback.kind === 'absent') return fallback.doc;
  return isEmptyMap(fallback.value) ? 'the defaults below' : `\`${written(fallback.value)}\``;
}

function isEmptyMap(value: Plain): boolean {
  return typeof value === 'object' && value !== null && JSON.stringify(value) === '{}';
}

function written(value: Plain): string {
  return typeof value === 'string' ? value : JSON.stringify(value).replaceAll('"', '').replaceAll(',', ', ');
}

/** A vertical bar would end the cell, and `<` would begin an element. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
