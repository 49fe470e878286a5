import type { ForeignTable } from './foreign-file.ts';
import type { KeyedFormat, Overlay } from './format.ts';
import { HAPROXY_KEYWORDS } from './haproxy/table.ts';
import { INTRODUCTIONS } from './introductions.ts';
import { NGINX_DIRECTIVES } from './nginx/table.ts';
import { PROMISES } from './promises/promises.ts';
import type { PageSection } from './promises/section.ts';

/** A page about moving from a system, and where it lies below docs/migrate. */
export interface MigrationPage {
  readonly name: string;
  readonly text: string;
}

const MADE = `Made from the declarations in \`libs/config/src/formats\`; a test holds the two equal, and
\`npx vitest run libs/config -u\` writes this page anew.`;

/** The page about systems with files of keys. */
export function keyedPage(name: keyof typeof PROMISES, formats: readonly KeyedFormat[]): MigrationPage {
  const parts = formats.flatMap(({ title, table, variables, flags }) => [
    formats.length > 1 ? `## ${title}` : '## Keys',
    keyTable(table),
    ...overlayTable('Variables', variables, ''),
    ...overlayTable('Flags', flags, '-'),
  ]);
  return { name, text: pageOf(name, [...PROMISES[name].flatMap(sectionTable), ...parts]) };
}

export function nginxPage(): MigrationPage {
  return {
    name: 'nginx',
    text: pageOf('nginx', ['## Directives', directiveTable('Directive', NGINX_DIRECTIVES)]),
  };
}

export function haproxyPage(): MigrationPage {
  return {
    name: 'haproxy',
    text: pageOf('haproxy', ['## Keywords', directiveTable('Keyword', HAPROXY_KEYWORDS)]),
  };
}

function pageOf(name: keyof typeof INTRODUCTIONS, parts: readonly string[]): string {
  return `${[INTRODUCTIONS[name].trim(), MADE, ...parts].join('\n\n')}\n`;
}

function keyTable(table: ForeignTable): string {
  const rows = Object.entries(table).map(([key, { shown, ours, note }]) => [
    `\`${key}\``,
    shown === '' || shown === '""' ? '' : `\`${shown}\``,
    ours === '' ? 'nothing' : `\`${ours}\``,
    note,
  ]);
  return tableOf(['Key', 'Default', 'Usher', 'Note'], rows);
}

function sectionTable({ heading, columns, rows }: PageSection): string[] {
  const lines = Object.entries(rows).map(([what, outcome]) => [`\`${what}\``, outcome]);
  return [`## ${heading}`, tableOf(columns, lines)];
}

function overlayTable(heading: string, overlays: readonly Overlay[], dash: string): string[] {
  if (overlays.length === 0) return [];
  const rows = overlays.map(({ name, key }) => [`\`${dash}${name}\``, `\`${key}\``]);
  return [tableOf([heading, 'Over the key'], rows)];
}

type Directives = Readonly<Record<string, { readonly ours: string; readonly note: string }>>;

function directiveTable(heading: string, directives: Directives): string {
  const rows = Object.entries(directives).map(([name, { ours, note }]) => [
    `\`${name}\``,
    ours === '' ? 'nothing' : `\`${ours}\``,
    note,
  ]);
  return tableOf([heading, 'Usher', 'Note'], rows);
}

function tableOf(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [lineOf(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(lineOf)].join('\n');
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`;
}
