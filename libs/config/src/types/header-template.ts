import { unknownVariable, VARIABLES } from '@usher/domain';
import { suggest } from '../suggest.ts';
import { text } from './scalar.ts';
import { type Refusal, refuse, type Type } from './type.ts';

const LENGTH_MAX = 4096;
/** Printable, with blanks only within it: what can stand in a field of a head as it is. */
const VALUE = /^[!-~]([\t -~]*[!-~])?$/;
const URL_START = /^(https?:\/\/|\{scheme\}:\/\/|\/|\{path\})/;

/** Value of a header. */
export const headerTemplate: Type<string> = text({
  expects: 'the value of a header, which may hold variables such as {client}',
  jsonSchema: { minLength: 1, maxLength: LENGTH_MAX },
  standIn: 'x',
  parse: parseTemplate,
});

/** Where clients are sent. */
export const urlTemplate: Type<string> = text({
  expects: 'a URL such as https://example.com{path}{query}, or a path',
  jsonSchema: { minLength: 1, maxLength: LENGTH_MAX },
  standIn: '/',
  parse: parseUrlTemplate,
});

/** The URL, or why it is none. */
export function parseUrlTemplate(written: string): string | Refusal {
  if (!URL_START.test(written)) return refuse('it begins with https://, http://, {scheme}://, {path} or /');
  if (/^[/\\]{2}/.test(written) || /[\s"<>]/.test(written)) return refuse('this is not a URL');
  return parseTemplate(written);
}

function parseTemplate(written: string): string | Refusal {
  if (written.length > LENGTH_MAX) return refuse(`longer than ${LENGTH_MAX} characters`);
  if (!VALUE.test(written)) return refuse('expected printable characters of ASCII in one line');
  const unknown = unknownVariable(written);
  if (unknown === undefined) return written;
  const meant = suggest(unknown, VARIABLES);
  return refuse(
    `there is no variable {${unknown}}; there are ${VARIABLES.map((name) => `{${name}}`).join(', ')}`,
    meant === undefined ? undefined : `{${meant}}`,
  );
}
