import { resolve } from 'node:path';
import { type Disk, decodeUtf8, readFailure, realDisk } from '../input/disk.ts';
import { kindOf } from '../input/input.ts';
import { HIDDEN, type Reading, type Surroundings } from '../reading.ts';
import { Refusal, refuse, SCALAR, type Type } from './type.ts';

const SECRET_BYTES_MAX = 65_536;
/** Stands in for a reference with a fault. */
export const NO_REFERENCE = 'env:NONE';

interface SecretParts {
  readonly expects: string;
  readonly standIn: string;
  /** Turns the secret into what the settings hold. Its messages must not quote it. */
  parse(secret: string, resolveReference: (text: string) => string | Refusal): string | Refusal;
  /** What may be shown of a secret that was written out. */
  mask?(secret: string): string;
}

/** A text that must not be shown: written out, or as a reference `env:NAME` or `file:path`, which is resolved here. */
export function secret(parts: SecretParts): Type<string> {
  const { expects, standIn } = parts;
  return {
    expects: `${expects}, or env:NAME or file:path to take it from there`,
    jsonSchema: { type: 'string', minLength: 1 },
    shape: SCALAR,
    read(input, path, reading) {
      if (input.kind !== 'scalar' || input.value === null || input.text === '') {
        reading.fault(path, input.at, `expected ${expects}, found ${kindOf(input)}`);
        return standIn;
      }
      if (typeof input.value !== 'string') {
        reading.fault(path, input.at, `expected ${expects}, found ${kindOf(input)}; put it in quotes`);
        return standIn;
      }
      const dereference = (text: string) => resolveReference(text, reading);
      const found = dereference(input.text);
      const value = found instanceof Refusal ? found : parts.parse(found, dereference);
      if (value instanceof Refusal) {
        reading.fault(path, input.at, value.message, value.suggestion);
        return standIn;
      }
      const shown = isReference(input.text) ? input.text : (parts.mask?.(input.text) ?? HIDDEN);
      reading.leaf(path, shown, input.at);
      return value;
    },
    write: (value) => value,
  };
}

/** A secret that is used as it is. */
export function plainSecret(expects: string): Type<string> {
  return secret({ expects, standIn: '', parse: (found) => found });
}

function isReference(text: string): boolean {
  return text.startsWith('env:') || text.startsWith('file:');
}

/** A secret, and where it was found; undefined when it was written out. */
export interface FoundSecret {
  readonly text: string;
  /** With an absolute path. */
  readonly reference: string | undefined;
}

/** A secret with its reference, for settings that may hold no more than that. */
export function foundSecret(expects: string): Type<FoundSecret> {
  const plain = plainSecret(expects);
  const { jsonSchema, shape } = plain;
  return {
    expects: plain.expects,
    jsonSchema,
    shape,
    write: ({ text, reference }) => reference ?? text,
    read(input, path, reading) {
      const text = plain.read(input, path, reading);
      const written = input.kind === 'scalar' ? input.text : '';
      return { text, reference: isReference(written) ? absolute(written, reading) : undefined };
    },
  };
}

interface ReferenceParts {
  readonly expects: string;
  /** Whatever is shorter is no secret worth its name. */
  readonly lengthMin: number;
}

/**
 * Where a secret is to be found that every process looks up itself: `env:NAME` or `file:path`, the path made absolute. The
 * secret is looked up here too, so that one that is missing is a fault, but it does not become part of the settings.
 */
export function secretReference({ expects, lengthMin }: ReferenceParts): Type<string> {
  return {
    expects,
    jsonSchema: { type: 'string', pattern: '^(env|file):' },
    shape: SCALAR,
    read(input, path, reading) {
      const written = input.kind === 'scalar' ? input.text : '';
      if (!isReference(written)) {
        // What was written may be the secret itself, so it is not quoted.
        reading.fault(path, input.at, `expected ${expects}`);
        return NO_REFERENCE;
      }
      const secret = resolveReference(written, reading);
      if (secret instanceof Refusal) reading.fault(path, input.at, secret.message);
      else if (secret.length < lengthMin)
        reading.fault(path, input.at, `shorter than ${lengthMin} characters: too easy to guess`);
      reading.leaf(path, written, input.at);
      return absolute(written, reading);
    },
    write: (value) => value,
  };
}

function absolute(reference: string, { surroundings }: Reading): string {
  return reference.startsWith('file:')
    ? `file:${resolve(surroundings.folder, reference.slice(5))}`
    : reference;
}

/** What a reference stands for; any other text stands for itself. */
function resolveReference(text: string, { surroundings, variables }: Reading): string | Refusal {
  if (text.startsWith('env:')) variables.add(text.slice(4));
  return lookUp(text, surroundings);
}

type Sources = Pick<Surroundings, 'env' | 'folder' | 'disk'>;

function lookUp(text: string, { env, folder, disk }: Sources): string | Refusal {
  if (text.startsWith('env:')) return fromEnvironment(text.slice(4), env);
  return text.startsWith('file:') ? fromFile(text.slice(5), folder, disk) : text;
}

/** The secret that a reference with an absolute path stands for. Throws an error that says why there is none. */
export function readSecret(reference: string, env: Surroundings['env']): string {
  const found = lookUp(reference, { env, folder: '/', disk: realDisk });
  if (found instanceof Refusal) throw new Error(found.message);
  return found;
}

function fromEnvironment(name: string, env: Surroundings['env']): string | Refusal {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    return refuse('env: must be followed by the name of a variable');
  const value = env[name];
  if (value === undefined) return refuse(`the environment variable ${name} is not set`);
  return value === '' ? refuse(`the environment variable ${name} is empty`) : value;
}

function fromFile(path: string, folder: string, disk: Disk): string | Refusal {
  if (path === '' || path.includes('\0')) return refuse('file: must be followed by the path of a file');
  let bytes: Uint8Array;
  try {
    bytes = disk.readBytes(resolve(folder, path));
  } catch (error) {
    return refuse(`${readFailure(error)}: ${path}`);
  }
  if (bytes.byteLength > SECRET_BYTES_MAX)
    return refuse(`the file is longer than ${SECRET_BYTES_MAX} bytes: ${path}`);
  const text = decodeUtf8(bytes);
  if (typeof text !== 'string') return refuse(`the file is not UTF-8: ${path}`);
  // Editors end files with a newline that nobody means as part of a secret.
  const value = text.replace(/\r?\n$/, '');
  return value === '' ? refuse(`the file is empty: ${path}`) : value;
}
