import { type PreviewAnswer, UsherError } from '@usher/domain';
import type { FastifyInstance } from 'fastify';
import { PREVIEW_CONFIG } from './api/config-docs.ts';
import { readObject, readQuery } from './input.ts';

/** What a text would change if it were the configuration of this process. */
export type PreviewConfig = (text: string) => Promise<PreviewAnswer>;

/** `POST /v1/config/preview`: nothing changes by it. */
export function registerPreviewRoute(app: FastifyInstance, preview: PreviewConfig): void {
  app.post('/v1/config/preview', PREVIEW_CONFIG, async (request): Promise<PreviewAnswer> => {
    readQuery(request.query, []);
    const { text, ...others } = readObject(request.body);
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) throw new UsherError('invalid_input', `Unknown key ${unknown}; known: text`);
    if (typeof text !== 'string')
      throw new UsherError('invalid_input', 'text: expected a configuration, as its file would have it');
    return await preview(text);
  });
}
