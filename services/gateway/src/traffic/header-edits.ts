import type { ServerResponse } from 'node:http';
import { type HeaderEditSettings, Template, type Variable } from '@usher/domain';
import { FIELD, type FieldTable, lineNamed } from '@usher/http1';

type Values = Readonly<Record<Variable, string>>;
/** Names in lower case and values in turn. */
export type Fields = readonly string[];

/** What changes in the header of one message. Names are in lower case. */
export interface HeaderEdits {
  /** All lines of these names go. */
  readonly drop: readonly string[];
  /**
   * With hyphens. Lines go, too, whose names are these with underscores: what hands headers over as variables, as CGI does
   * (RFC 3875 section 4.1.18), takes both for the same.
   */
  readonly lookalikes?: ReadonlySet<string> | undefined;
  /** Come where there is none of that name. */
  readonly lacking: Fields;
  /** Come in any case. */
  readonly add: Fields;
}

/** A head that was read, or a part of one. */
interface Head {
  readonly text: string;
  readonly fields: FieldTable;
}

/** Changes that hold for every message of a route, but for the values of variables. */
export class EditTemplate {
  readonly drop: readonly string[];
  readonly #add: readonly (readonly [name: string, value: Template])[];
  /** What is added; undefined where that depends on the request. */
  readonly fixed: Fields | undefined;

  constructor({ set, add, remove }: HeaderEditSettings) {
    const lines = [...Object.entries(set), ...Object.entries(add)];
    this.drop = [...new Set([...remove, ...Object.keys(set)])];
    this.#add = lines.map(([name, value]) => [name, new Template(value)] as const);
    if (this.#add.every(([, { fixed }]) => fixed !== undefined)) this.fixed = lines.flat();
  }

  added(values: Values): Fields {
    return this.fixed ?? this.#add.flatMap(([name, value]) => [name, value.filled(values)]);
  }
}

/** Takes lines out of a head, as if they had been for one connection only, and answers with what comes in addition. */
export function editHead({ text, fields }: Head, { drop, lookalikes, lacking, add }: HeaderEdits): Fields {
  for (const name of drop) {
    for (let line = lineNamed(text, fields, name); line >= 0; line = lineNamed(text, fields, name, line + 1))
      fields.nominate(line);
  }
  if (lookalikes !== undefined) dropLookalikes({ text, fields }, lookalikes);
  if (lacking.length === 0) return add;
  return [...without(lacking, (name) => isThere(text, fields, name)), ...add];
}

function dropLookalikes({ text, fields }: Head, names: ReadonlySet<string>): void {
  for (let line = 0; line < fields.count; line++) {
    const name = text.slice(fields.nameStart(line), fields.nameEnd(line));
    if (looksLike(name.toLowerCase(), names)) fields.nominate(line);
  }
}

function looksLike(name: string, names: ReadonlySet<string>): boolean {
  return name.includes('_') && names.has(hyphened(name));
}

/** The name for which another may be taken. */
export function hyphened(name: string): string {
  return name.replaceAll('_', '-');
}

/** Header lines, each with its CRLF. */
export function linesOf(fields: Fields): string {
  let lines = '';
  for (let at = 0; at < fields.length; at += 2) lines += `${fields[at]}: ${fields[at + 1]}\r\n`;
  return lines;
}

/** The same for an answer of ours. */
export function editFields(fields: Fields, { drop, lacking, add }: HeaderEdits): Fields {
  const kept = without(fields, (name) => drop.includes(name));
  const names = new Set(kept.filter((_, index) => index % 2 === 0));
  return [...kept, ...without(lacking, (name) => names.has(name)), ...add];
}

/** The same for headers by their names in lower case, in place. */
export function editRecord(
  headers: Record<string, string | string[] | undefined>,
  { drop, lookalikes, add }: HeaderEdits,
): void {
  for (const name of drop) delete headers[name];
  if (lookalikes !== undefined)
    for (const name of Object.keys(headers)) if (looksLike(name, lookalikes)) delete headers[name];
  for (let at = 0; at < add.length; at += 2) {
    const before = headers[add[at]!];
    headers[add[at]!] = before === undefined ? add[at + 1]! : [before, add[at + 1]!].flat();
  }
}

/** The same for the answer that Node is about to write. */
export function editResponse(response: ServerResponse, { drop, lacking, add }: HeaderEdits): void {
  for (const name of drop) response.removeHeader(name);
  const missing = without(lacking, (name) => response.hasHeader(name));
  for (let at = 0; at < missing.length; at += 2) response.setHeader(missing[at]!, missing[at + 1]!);
  for (let at = 0; at < add.length; at += 2) response.appendHeader(add[at]!, add[at + 1]!);
}

/** Not those that end with the connection. */
function isThere(text: string, fields: FieldTable, name: string): boolean {
  const line = lineNamed(text, fields, name);
  return line >= 0 && fields.id(line) !== FIELD.nominated;
}

/** Fields without those whose name leaves. */
export function without(fields: Fields, leaves: (name: string) => boolean): Fields {
  return fields.filter((_, at) => !leaves(fields[at - (at % 2)]!));
}
