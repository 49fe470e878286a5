/** A schema in JSON Schema (2020-12). One with a title is told once in a document and referred to by it. */
export interface JsonSchema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

export const TEXT: JsonSchema = { type: 'string' };
export const NUMBER: JsonSchema = { type: 'number' };
/** Not negative. */
export const COUNT: JsonSchema = { type: 'integer', minimum: 0 };
export const FLAG: JsonSchema = { type: 'boolean' };
/** RFC 3339. */
export const INSTANT: JsonSchema = { type: 'string', format: 'date-time' };

/** A member that may be absent. */
export interface Optional {
  readonly optional: JsonSchema;
}

export function optional(schema: JsonSchema): Optional {
  return { optional: schema };
}

/** A schema for each member of T, and none besides; those that may be absent are marked so. */
type Members<T> = { readonly [K in keyof T]-?: undefined extends T[K] ? Optional : JsonSchema };

/** A schema of what is a T. */
interface JsonSchemaOf<T> extends JsonSchema {
  readonly examples?: readonly T[];
}

/** An object of the type T: the compiler sees to it that no member is missing. */
export function objectOf<T>(members: Members<T>, title?: string): JsonSchemaOf<T> {
  const entries = Object.entries<JsonSchema | Optional>(members);
  const properties = entries.map(([name, member]) => [name, 'optional' in member ? member.optional : member]);
  const required = entries.filter(([, member]) => !('optional' in member)).map(([name]) => name);
  return {
    ...(title === undefined ? {} : { title }),
    type: 'object',
    properties: Object.fromEntries(properties) as Record<string, JsonSchema>,
    required,
  };
}

export function listOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

export function oneOf(values: readonly string[]): JsonSchema {
  return { type: 'string', enum: values };
}

export function nullable(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: 'null' }] };
}

export function described(description: string, schema: JsonSchema): JsonSchema {
  return { ...schema, description };
}
