import { type Change, ERRORS, type ErrorCode, type Problem } from '@usher/domain';
import type { AdminRole } from '../admin-access.ts';
import { COUNT, described, type JsonSchema, listOf, objectOf, oneOf, optional, TEXT } from './json-schema.ts';
import type { RouteDoc } from './route-doc.ts';

/** A route as it was registered. */
export interface DocumentedRoute {
  readonly method: string;
  /** As Fastify writes it, such as `/v1/backends/:id`. */
  readonly url: string;
  readonly role: AdminRole | 'public';
  readonly about: RouteDoc;
}

export type OpenApi = Readonly<Record<string, unknown>>;

export const CHANGE = objectOf<Change>(
  {
    path: described('Where, as in `pools.web.strategy`', TEXT),
    before: optional(described('What it was; absent when it was not there', {})),
    after: optional(described('What it is; absent when it is not there any more', {})),
  },
  'Change',
);

const PROBLEM = objectOf<Problem>(
  {
    type: TEXT,
    title: TEXT,
    status: { type: 'integer' },
    code: oneOf(Object.keys(ERRORS)),
    detail: optional(TEXT),
    revision: optional(described('For a change that was based on another one: the revision there is', COUNT)),
    changes: optional(described('What has changed since the revision that was seen', listOf(CHANGE))),
  },
  'Problem',
);
const PROBLEM_TYPE = 'application/problem+json';
const JSON_TYPE = 'application/json';

/** The document of an API in OpenAPI 3.1, from the routes that it has. */
export function openApi(routes: readonly DocumentedRoute[]): OpenApi {
  const schemas: Record<string, JsonSchema> = {};
  const responses: Record<string, unknown> = {};
  const share: Share = (schema) => shared(schema, schemas);
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.url.replaceAll(/:(\w+)/g, '{$1}');
    const operations = (paths[path] ??= {});
    operations[route.method.toLowerCase()] = operationOf(route, share, responses);
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Usher admin API',
      version: '1',
      description:
        'Every error is a problem (RFC 9457) whose `code` is stable. Commands are durable when they are acknowledged, and with the same `Idempotency-Key` change nothing more.',
    },
    paths,
    components: {
      schemas,
      responses,
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

type Share = (schema: JsonSchema) => unknown;

function operationOf(
  route: DocumentedRoute,
  share: Share,
  refusals: Record<string, unknown>,
): Record<string, unknown> {
  const { role, about } = route;
  const { name, summary, notes, body, answer } = about;
  const needs = role === 'public' ? 'Needs no token.' : `Needs the role ${role}.`;
  const parameters = parametersOf(about, share);
  const { status = 200, type = JSON_TYPE, schema, description } = answer;
  const content = schema === undefined ? {} : { content: { [type]: { schema: share(schema) } } };
  const others = Object.entries(about.alsoStatus ?? {}).map(([code, text]) => [
    code,
    { description: text, ...content },
  ]);
  return {
    operationId: name,
    summary,
    description: notes === undefined ? needs : `${notes} ${needs}`,
    ...(role === 'public' ? {} : { security: [{ token: [] }] }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: body.required,
            content: { [JSON_TYPE]: { schema: share(body.schema) } },
          },
        }),
    responses: {
      [status]: { description, ...content },
      ...Object.fromEntries(others),
      ...problems(codesOf(route), share, refusals),
    },
  };
}

function parametersOf({ path = {}, query = {}, headers = {} }: RouteDoc, share: Share): unknown[] {
  const places = { path, query, header: headers };
  return Object.entries(places).flatMap(([place, named]) =>
    Object.entries(named).map(([name, { description, ...schema }]) => ({
      name,
      in: place,
      required: place === 'path',
      ...(description === undefined ? {} : { description }),
      schema: share(schema),
    })),
  );
}

/** Errors of a route: its own, and those that follow from what it takes. */
function codesOf({ method, role, about, url }: DocumentedRoute): Set<ErrorCode> {
  const codes = new Set<ErrorCode>(['bad_request', 'forbidden', 'rate_limited', 'internal', 'invalid_input']);
  if (role !== 'public') codes.add('unauthorized');
  if (url.includes(':')) codes.add('not_found');
  // A body is read wherever one may be, and not only where it is wanted.
  if (method !== 'GET') codes.add('body_too_large');
  for (const code of about.refusals ?? []) codes.add(code);
  return codes;
}

/** By status, as several codes may share one. Most routes share them: the document tells each once. */
function problems(
  codes: ReadonlySet<ErrorCode>,
  share: Share,
  refusals: Record<string, unknown>,
): Record<string, unknown> {
  const byStatus = Object.groupBy(codes, (code) => ERRORS[code].status);
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, of]) => {
      const name = of.toSorted().join('.');
      refusals[name] ??= {
        description: of.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join('; '),
        content: { [PROBLEM_TYPE]: { schema: share(PROBLEM) } },
      };
      return [status, { $ref: `#/components/responses/${name}` }];
    }),
  );
}

/** Moves what has a title into the shared schemas and leaves a reference to it. */
function shared(schema: JsonSchema, schemas: Record<string, JsonSchema>): unknown {
  if (Array.isArray(schema)) return schema.map((each: JsonSchema) => shared(each, schemas));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $schema: _dialect, title, ...rest } = schema as JsonSchema & { readonly $schema?: string };
  const inner = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, shared(value as JsonSchema, schemas)]),
  ) as JsonSchema;
  // A property may be called title; then it is a schema of its own.
  if (typeof title !== 'string')
    return title === undefined ? inner : { ...inner, title: shared(title, schemas) };
  schemas[title] ??= inner;
  return { $ref: `#/components/schemas/${title}` };
}
