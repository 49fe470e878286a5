import { createHash } from 'node:crypto';
import { type ApiKeySettings, uneditable } from '@usher/domain';
import { list, mapped } from '../../types/collections.ts';
import { fieldName, id } from '../../types/names.ts';
import { secret } from '../../types/secret.ts';
import { defaulted, required, section } from '../../types/section.ts';
import { refuse, type Type } from '../../types/type.ts';
import { weaknessOf } from '../../weak-secrets.ts';

/** What a header can carry without being changed on its way. */
const VISIBLE = /^[!-~]{1,512}$/;

const apiKey = secret({
  expects: 'a key of 16 characters or more',
  standIn: '',
  parse(found) {
    const weakness = VISIBLE.test(found) ? weaknessOf(found) : 'it has characters that a header cannot carry';
    // Whoever reads the settings, in the log of events for instance, cannot use it.
    return weakness === undefined ? createHash('sha256').update(found).digest('hex') : refuse(weakness);
  },
});

const key = section({
  name: required({ to: 'name', type: id, doc: 'Whose key it is: the variable {consumer}.' }),
  key: required({
    to: 'sha256',
    type: apiKey,
    doc: 'The key, of 16 characters or more. Nobody else learns it: what is written down is its SHA-256.',
  }),
});

const keys = section({
  header: defaulted('X-Api-Key', {
    to: 'header',
    type: fieldName,
    doc: 'Name of the header in which callers show their key. Backends do not get it.',
  }),
  keys: required({ to: 'keys', type: list(key, { min: 1 }), doc: 'The keys that are good.' }),
});

/** Who may call, by a key. */
export const apiKeys: Type<ApiKeySettings> = mapped(keys, (given, _path, reading): ApiKeySettings => {
  const header = given.header.toLowerCase();
  const why = uneditable(header);
  if (why !== undefined) reading.complain(given, 'header', why);
  const names = given.keys.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) reading.complain(given, 'keys', `${twice} is there twice`);
  return { header, keys: given.keys };
});
