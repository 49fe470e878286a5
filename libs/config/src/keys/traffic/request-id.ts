import { REQUEST_ID_TRUST, type RequestIdSettings, uneditable } from '@usher/domain';
import { mapped } from '../../types/collections.ts';
import { fieldName } from '../../types/names.ts';
import { oneOf } from '../../types/scalar.ts';
import { defaulted, section } from '../../types/section.ts';
import type { Type } from '../../types/type.ts';

const OWN = 'x-request-id';

const keys = section({
  header: defaulted('X-Request-Id', {
    to: 'header',
    type: fieldName,
    doc: 'Name of the header with the id, in requests and in answers. X-Request-Id has it in any case.',
  }),
  trust: defaulted('anyone', {
    to: 'trust',
    type: oneOf(REQUEST_ID_TRUST),
    doc: 'Whose ids are kept if they are tokens of up to 128 characters; all others get a new one.',
  }),
});

/** Where the id of a request comes from and goes to. */
export const requestId: Type<RequestIdSettings> = mapped(keys, (given, _path, reading): RequestIdSettings => {
  const header = given.header.toLowerCase();
  const why = header === OWN ? undefined : uneditable(header);
  if (why !== undefined) reading.complain(given, 'header', why);
  return { header, trust: given.trust };
});
