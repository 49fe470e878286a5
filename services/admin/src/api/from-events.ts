import type { JsonSchema } from '@usher/runtime';

/** A schema of the events as one of the API's document. */
export function schemaOf(
  source: { toJSONSchema(options: { readonly io: 'input' | 'output' }): unknown },
  title?: string,
): JsonSchema {
  // What callers may leave out is optional to them, though we fill it in.
  const schema = source.toJSONSchema({ io: 'input' }) as JsonSchema;
  return title === undefined ? schema : { ...schema, title };
}

/** An object schema without one of its members. */
export function without(schema: JsonSchema, member: string): JsonSchema {
  const { title: _title, ...others } = schema;
  const { [member]: _gone, ...properties } = schema.properties ?? {};
  const required = (schema.required ?? []).filter((name) => name !== member);
  return { ...others, properties, required };
}

/** An object schema with the members of another besides. */
export function joined(schema: JsonSchema, more: JsonSchema, title: string): JsonSchema {
  return {
    title,
    type: 'object',
    properties: { ...schema.properties, ...more.properties },
    required: [...(schema.required ?? []), ...(more.required ?? [])],
  };
}
