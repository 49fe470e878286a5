import type { ConfigPreview, PreviewAnswer } from '@usher/domain';
import { CHANGE, declareRoute, described, FLAG, listOf, nullable, objectOf, TEXT } from '@usher/runtime';

const PREVIEW = objectOf<ConfigPreview>(
  {
    changes: described('Of what the fleet shares; backends that go drain before that', listOf(CHANGE)),
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
