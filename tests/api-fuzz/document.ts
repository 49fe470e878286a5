import { z } from 'zod';

/** A schema as the API's document has it; references lead to `components.schemas`. */
export interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly schema: Schema;
}

interface Content {
  readonly [type: string]: { readonly schema: Schema };
}

interface DocumentedOperation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, Response>>;
}

interface Response {
  /** Leads to `components.responses`. */
  readonly $ref?: string;
  readonly content?: Content;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses?: Readonly<Record<string, Response>>;
  };
}

/** One call of the API, with everything that a fuzzer needs of the document. */
export interface Operation {
  readonly method: string;
  /** With parameters in braces. */
  readonly path: string;
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly body: Schema | undefined;
  /** What is wrong with an answer by the document; undefined when nothing is. */
  judge(status: number, type: string, text: string): string | undefined;
}

export interface Api {
  readonly operations: readonly Operation[];
  resolve(schema: Schema): Schema;
}

/** Reads the document; the answers are held against its schemas by a reader that knows nothing of the server. */
export function readApi(document: unknown): Api {
  const { paths, components } = document as Document;
  const resolve = (schema: Schema): Schema => {
    const name = schema.$ref?.split('/').at(-1);
    return name === undefined ? schema : (components.schemas[name] ?? {});
  };
  const readers = new Map<string, z.ZodType>();
  const readerOf = (schema: Schema): z.ZodType => {
    // Many answers refer to the same schema, and making a reader takes long.
    const text = JSON.stringify(schema);
    let reader = readers.get(text);
    if (reader === undefined)
      readers.set(text, (reader = z.fromJSONSchema(standalone(schema, components.schemas))));
    return reader;
  };
  const responseTo = (operation: DocumentedOperation, status: number): Response | undefined => {
    const response = operation.responses[status];
    const name = response?.$ref?.split('/').at(-1);
    return name === undefined ? response : components.responses?.[name];
  };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]): Operation => ({
        method: method.toUpperCase(),
        path,
        name: operation.operationId,
        parameters: operation.parameters ?? [],
        body: operation.requestBody?.content['application/json']?.schema,
        judge: (status, type, text) => judge(responseTo(operation, status), readerOf, { status, type, text }),
      }),
    ),
  );
  return { operations, resolve };
}

/** The schema with all others in it, where references then lead. */
function standalone(schema: Schema, schemas: Readonly<Record<string, Schema>>): Record<string, unknown> {
  const text = JSON.stringify({ ...schema, $defs: schemas });
  return JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as Record<string, unknown>;
}

interface Answer {
  readonly status: number;
  /** Without parameters. */
  readonly type: string;
  readonly text: string;
}

function judge(
  documented: Response | undefined,
  readerOf: (schema: Schema) => z.ZodType,
  { status, type, text }: Answer,
): string | undefined {
  if (documented === undefined) return `status ${status} is not documented`;
  if (documented.content === undefined) return text === '' ? undefined : `${status} has a body`;
  const content = documented.content[type];
  if (content === undefined) return `${status} has the type ${type}`;
  // Lines of JSON are none as a whole.
  if (!type.endsWith('json') || type.endsWith('ndjson')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return `${status} has a body that is not JSON`;
  }
  const read = readerOf(content.schema).safeParse(value);
  if (read.success) return undefined;
  const [issue] = read.error.issues;
  return `${status} has a body that is not as documented: ${issue?.path.join('.')}: ${issue?.message}`;
}
