import { root } from './keys/root.ts';
import type { JsonSchema } from './types/type.ts';

/** The JSON Schema (draft 2020-12) of the configuration file, for editors. It knows less than the parser: no relations. */
export function configJsonSchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Usher configuration',
    ...root.jsonSchema,
  };
}
