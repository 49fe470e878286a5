import type { ConfigPreview, NamedChanges, PreviewAnswer } from '@usher/domain';
import { declareRoute, described, FLAG, listOf, nullable, objectOf, TEXT } from '@usher/runtime';

const CHANGES = objectOf<NamedChanges>(
  {
    added: listOf(TEXT),
    removed: listOf(TEXT),
    changed: listOf(
      objectOf<NamedChanges['changed'][number]>({
        id: TEXT,
        settings: described('Names of those that would have other values', listOf(TEXT)),
      }),
    ),
  },
  'NamedChanges',
);

const PREVIEW = objectOf<ConfigPreview>(
  {
    pools: CHANGES,
    backends: described('Those that go drain before that', CHANGES),
    routes: CHANGES,
    settings: described('What else would have other values', listOf(TEXT)),
    listeners: described('Whether listeners of this process would come, go or be others', FLAG),
    restart: described('Settings of this process that would count from its next start on', listOf(TEXT)),
  },
  'ConfigPreview',
);

/** For administrators alone: a configuration can name files and variables of the machine, and faults tell of those. */
export const PREVIEW_CONFIG = declareRoute('admin', {
  name: 'previewConfig',
  summary: 'Tell what would change if a text were the configuration of this process',
  notes:
    'It is read as this process reads its own file: with its folder, environment and flags. Nothing changes.',
  body: {
    required: true,
    schema: objectOf<{ readonly text: string }>(
      { text: described('As the file would have it', TEXT) },
      'ConfigText',
    ),
  },
  answer: {
    description: 'What would change, or why the text is no configuration',
    schema: objectOf<PreviewAnswer>(
      { preview: nullable(PREVIEW), faults: described('One sentence each', listOf(TEXT)) },
      'PreviewAnswer',
    ),
  },
});
