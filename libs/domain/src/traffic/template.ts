/** What a template may hold in braces, and what stands there then. */
export const VARIABLES = [
  'client',
  'consumer',
  'request_id',
  'scheme',
  'host',
  'path',
  'query',
  'route',
] as const;
export type Variable = (typeof VARIABLES)[number];

const VARIABLE = /\{([a-z_]+)\}/;
/** What would end a field of a head, or a head. */
const CONTROLS = /[^\t\x20-\x7e\x80-\xff]/g;

/** A variable of a template that there is not; undefined when there are all. Braces around anything else stand for themselves. */
export function unknownVariable(template: string): string | undefined {
  const names = template.split(VARIABLE).filter((_, index) => index % 2 === 1);
  return names.find((name) => !isVariable(name));
}

/** A text with variables, taken apart once. */
export class Template {
  /** What it always is; undefined when that depends on the request. */
  readonly fixed: string | undefined;
  /** Text and names of variables in turn. */
  readonly #parts: readonly string[];

  constructor(text: string) {
    this.#parts = text.split(VARIABLE);
    this.fixed = this.#parts.length === 1 ? text : undefined;
  }

  /** The text for one request. Whatever the values hold, it is one line. */
  filled(values: Readonly<Record<Variable, string>>): string {
    if (this.fixed !== undefined) return this.fixed;
    let filled = '';
    for (const [index, part] of this.#parts.entries()) {
      if (index % 2 === 0) filled += part;
      else if (isVariable(part)) filled += values[part].replace(CONTROLS, '');
    }
    return filled;
  }
}

function isVariable(name: string): name is Variable {
  return VARIABLES.some((each) => each === name);
}
