import { type Change, type PreviewAnswer, type SharedSettings, UsherError } from '@usher/domain';
import type { FastifyInstance } from 'fastify';
import { PREVIEW_CONFIG } from './api/config-docs.ts';
import { readObject, readQuery } from './input.ts';

/** What would change; nothing does by asking. */
export interface ConfigPreviews {
  /** If a text were the configuration of this process. */
  text(text: string): Promise<PreviewAnswer>;
  /** If these were applied by a command. */
  settings(wanted: SharedSettings): readonly Change[];
}

/** `POST /v1/config/preview`: nothing changes by it. */
export function registerPreviewRoute(app: FastifyInstance, previews: ConfigPreviews): void {
  app.post('/v1/config/preview', PREVIEW_CONFIG, async (request): Promise<PreviewAnswer> => {
    readQuery(request.query, []);
    const { text, ...others } = readObject(request.body);
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) throw new UsherError('invalid_input', `Unknown key ${unknown}; known: text`);
    if (typeof text !== 'string')
      throw new UsherError('invalid_input', 'text: expected a configuration, as its file would have it');
    return await previews.text(text);
  });
}
