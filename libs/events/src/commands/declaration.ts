import { z } from 'zod';

/** One command: whoever takes commands, however they come, goes by this. */
export interface CommandDeclaration<S extends z.ZodType = z.ZodType> {
  /** What it does, as the end of "this command will". */
  readonly summary: string;
  /** Whose revision a sender may require: the backend's or pool's that the data names, or the configuration's. */
  readonly on: 'backend' | 'pool' | 'config';
  readonly data: S;
  /** The route that is short for it; absent for those that only programs of the fleet send. */
  readonly http?: HttpForm;
}

export interface HttpForm {
  /** Unlike that of any other route. */
  readonly operation: string;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** As Fastify writes it, such as `/v1/backends/:id`. */
  readonly path: string;
  /**
   * What the body is: all of the data (`whole`), the one member named by `as`, or all but the member that the path's `:id`
   * is.
   */
  readonly body: 'whole' | { readonly as: string } | { readonly besides: string };
}

export function command<S extends z.ZodType>(declaration: CommandDeclaration<S>): CommandDeclaration<S> {
  return declaration;
}

/** What of some settings changes: what is absent stays, and null takes away what may be missing. */
export function patch<F extends Readonly<Record<string, z.ZodType>>>(
  fields: F,
): { readonly [K in Exclude<keyof F, 'id'>]: z.ZodOptional<z.ZodNullable<F[K]>> } {
  const { id: _id, ...rest } = fields;
  return Object.fromEntries(
    Object.entries(rest).map(([name, schema]) => [name, schema.nullable().optional()]),
  ) as { readonly [K in Exclude<keyof F, 'id'>]: z.ZodOptional<z.ZodNullable<F[K]>> };
}

/** Settings of which only what is named has no default. */
export function draft<F extends Readonly<Record<string, z.ZodType>>, K extends keyof F & string>(
  fields: F,
  needed: readonly K[],
): { readonly [P in keyof F]: P extends K ? F[P] : z.ZodOptional<F[P]> } {
  return Object.fromEntries(
    Object.entries(fields).map(([name, schema]) => [
      name,
      needed.some((each) => each === name) ? schema : schema.optional(),
    ]),
  ) as { readonly [P in keyof F]: P extends K ? F[P] : z.ZodOptional<F[P]> };
}
