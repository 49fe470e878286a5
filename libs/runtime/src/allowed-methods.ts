import type { FastifyInstance } from 'fastify';

/**
 * Notes the routes that `app` is given from now on. Its answer has the methods of a path, as `Allow` lists them; undefined where no
 * route is.
 */
export function allowedMethods(app: FastifyInstance): (path: string) => string | undefined {
  const routes: { readonly segments: readonly string[]; readonly methods: readonly string[] }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    routes.push({ segments: url.split('/'), methods: [method].flat() });
  });
  return (path) => {
    const segments = path.split('/');
    const found = routes.filter((route) => fits(route.segments, segments)).flatMap(({ methods }) => methods);
    return found.length === 0 ? undefined : [...new Set(found)].toSorted().join(', ');
  };
}

/** A segment such as `:id` stands for any that has something in it. */
function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, at) => (part.startsWith(':') ? segments[at] !== '' : part === segments[at]))
  );
}
