import type { TierDetection } from '@usher/domain';
import { mapped } from '../types/collections.ts';
import { fieldName, id } from '../types/names.ts';
import { text } from '../types/scalar.ts';
import { defaulted, optional, section } from '../types/section.ts';
import { refuse, type Type } from '../types/type.ts';
import { size } from '../types/units.ts';

const NAME_LENGTH_MAX = 256;

/** Name of a field of a JSON object, or of a parameter of a query. */
const plainName: Type<string> = text({
  expects: 'the name of a field or parameter, such as tier',
  standIn: 'unnamed',
  parse: (written) =>
    written.length > 0 && written.length <= NAME_LENGTH_MAX
      ? written
      : refuse(`a name has 1 to ${NAME_LENGTH_MAX} characters`),
});

/** Where requests of a route name their tier. */
export const tierDetection: Type<TierDetection> = mapped(
  section({
    field: optional('bodies are not read', {
      to: 'field',
      type: plainName,
      doc: 'Field of the JSON object in the body that is the name of the tier. The backend gets the body as it came.',
      why: 'Requests of such a route take the plugin lane, which reads the body before it chooses a backend.',
    }),
    field_limit: defaulted('64KiB', {
      to: 'fieldBytesMax',
      type: size({ min: '1B', max: '10MiB' }),
      doc: 'How long a body may be in which the field is looked for. A longer one goes on unread, as if it had no such field.',
    }),
    query: optional('the query is not looked at', {
      to: 'query',
      type: plainName,
      doc: 'Parameter of the query that is the name of the tier.',
    }),
    header: optional('headers are not looked at', {
      to: 'header',
      type: fieldName,
      doc: 'Header that is the name of the tier.',
    }),
    default: optional('such a request is refused', {
      to: 'default',
      type: id,
      doc: 'Tier of a request that names none.',
    }),
  }),
  (given): TierDetection => ({ ...given, header: given.header?.toLowerCase() }),
);
