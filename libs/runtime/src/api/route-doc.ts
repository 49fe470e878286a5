import type { ErrorCode } from '@usher/domain';
import type { AdminRole } from '../admin-access.ts';
import type { JsonSchema } from './json-schema.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the document of the API tells of the route. */
    about?: RouteDoc;
  }
}

export interface RouteDoc {
  /** Unlike that of any other route; clients that are made from the document name their functions after it. */
  readonly name: string;
  /** What it does, as the end of "this call will". */
  readonly summary: string;
  /** Sentences that the rest does not say. */
  readonly notes?: string;
  /** What the path's parameters name. */
  readonly path?: Readonly<Record<string, JsonSchema>>;
  /** What the query may have. */
  readonly query?: Readonly<Record<string, JsonSchema>>;
  /** Headers that count. */
  readonly headers?: Readonly<Record<string, JsonSchema>>;
  readonly body?: { readonly schema: JsonSchema; readonly required: boolean };
  readonly answer: {
    readonly description: string;
    /** Default 200. */
    readonly status?: number;
    /** Default `application/json`. */
    readonly type?: string;
    /** Absent: it has no body. */
    readonly schema?: JsonSchema;
  };
  /** The same answer under another status. */
  readonly alsoStatus?: Readonly<Record<number, string>>;
  /** Errors beside those that every route may be answered with. */
  readonly refusals?: readonly ErrorCode[];
}

/** The declaration of a route, for its registration: who may call it, and what the document says of it. */
export function declareRoute<R extends AdminRole | 'public'>(
  role: R,
  about: RouteDoc,
): { readonly config: { readonly role: R; readonly about: RouteDoc } } {
  return { config: { role, about } };
}
