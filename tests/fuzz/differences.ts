import { METHODS } from 'node:http';
import type { ReadMessage } from './reading.ts';

/** Something that we accept and Node's parser refuses, on purpose. Where we are the stricter ones needs no entry. */
export interface Difference {
  readonly name: string;
  /** Why we accept it. */
  readonly reason: string;
  /** Whether it explains that Node has no such `message`, which we accept and which `raw` holds; `code` is of its error. */
  explains(code: string | undefined, message: ReadMessage, raw: string): boolean;
}

const KNOWN_METHODS = new Set(METHODS);
const methodOf = ({ start }: ReadMessage): string => start.slice(0, start.indexOf(' '));

export const DIFFERENCES: readonly Difference[] = [
  {
    name: 'methods that Node does not know',
    reason: 'A method is any token (RFC 9110 section 9.1), and a proxy forwards what it does not know.',
    explains: (code, message) => code === 'HPE_INVALID_METHOD' && !KNOWN_METHODS.has(methodOf(message)),
  },
  {
    name: 'minor versions above 1',
    reason:
      'A message of 1.2 is to be processed like one of 1.1 (RFC 9110 section 2.5); it leaves us as one of 1.1.',
    explains: (code, _, raw) => code === 'HPE_INVALID_VERSION' && /HTTP\/1\.[2-9]/.test(raw),
  },
  {
    name: 'blanks in chunk extensions',
    reason: 'RFC 9112 section 7.1.1 wants the blanks around `;` and `=` to be parsed.',
    explains: (code, _, raw) =>
      ['HPE_INVALID_CHUNK_SIZE', 'HPE_STRICT'].includes(code ?? '') &&
      /^[0-9a-f]+(?:[\t ]+;|;.*[\t ])/im.test(raw),
  },
  {
    name: 'a response behind one of 1xx that closes',
    reason:
      'An informational response is never the last one (RFC 9110 section 15.2), whatever it says of the connection.',
    explains: (code, _, raw) => code === 'HPE_CLOSED_CONNECTION' && /^HTTP\/1\.\d 1\d\d/.test(raw),
  },
  {
    name: 'what comes behind a head that asks for an upgrade',
    reason:
      'Node stops reading there, or in its body, without saying so; we decline the upgrade by serving it as it is.',
    explains: (code, _, raw) =>
      code === undefined && /^upgrade:/im.test(raw) && /^connection:.*upgrade/im.test(raw),
  },
];
