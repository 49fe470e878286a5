/** The part of JSON Schema (2020-12) that the catalogue's schemas come out as. */
export interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

export interface Field {
  /** Dotted path from the top; `[]` stands for every element of a list, `?` for what may be absent. */
  readonly name: string;
  readonly type: string;
}

/** The fields of an object schema, nested ones by their path, so that every leaf has its own line. */
export function fields(schema: JsonSchema, prefix = ''): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, field]) => {
    const optional = schema.required?.includes(key) === true ? '' : '?';
    return leaves(`${prefix}${key}${optional}`, field);
  });
}

function leaves(name: string, schema: JsonSchema): Field[] {
  if (schema.items !== undefined) return leaves(`${name}[]`, schema.items);
  if (schema.oneOf !== undefined) return leaves(name, merged(schema.oneOf));
  if (schema.properties !== undefined) return fields(schema, `${name}.`);
  const values = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  const type = values?.map((value) => JSON.stringify(value)).join(' or ') ?? schema.type ?? 'any';
  return [{ name, type }];
}

/** The variants of a union as one object: a field that not all have is optional, a tag has all their values. */
function merged(variants: readonly JsonSchema[]): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const [key, field] of variants.flatMap((variant) => Object.entries(variant.properties ?? {}))) {
    const tags = [...(properties[key]?.enum ?? []), field.const];
    properties[key] = field.const === undefined ? field : { enum: tags };
  }
  const required = Object.keys(properties).filter((key) =>
    variants.every((variant) => variant.required?.includes(key) === true),
  );
  return { properties, required };
}
