/** Who has more to say of one path has written it to be misread. */
const READINGS_MAX = 128;
/** Bounds what the readings of a long path can cost. */
const READINGS_CHARS_MAX = 128 * 1024;

const ENCODED = /%([0-9A-Fa-f]{2})/g;
const ENCODED_IN_A_PART = /%(?!2[Ff]|5[Cc])([0-9A-Fa-f]{2})/g;
const UNRESERVED = /[A-Za-z0-9._~-]/;
const STEP = /\/\.{1,2}(?=\/|$)/;
/** Those who take steps as URLs have them (WHATWG) see them in their encoded form too. */
const ENCODED_STEP = /\/(?:\.|%2[Ee]){1,2}(?=\/|$)/;

/**
 * What somebody may do to a path before he reads it. Each does some of these, in an order of his own, and some of them
 * more than once.
 */
const HABITS: readonly ((path: string) => string)[] = [
  (path) => path.replace(ENCODED, charOf),
  (path) => path.replace(ENCODED_IN_A_PART, charOf),
  // RFC 3986 section 6.2.2: what needs no encoding, and the rest in capitals.
  (path) => path.replace(ENCODED, inOneForm),
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replace(/\/{2,}/g, '/'),
  (path) => path.replace(/;[^/]*/g, ''),
  (path) => upTo(path, path.indexOf(';')),
  // Decoded, and then taken for a URL, or for a text that ends with a zero.
  (path) => upTo(path, path.search(/[?#\0]/)),
  // A reference that begins with two slashes names a host first (RFC 3986 section 4.2).
  (path) => path.replace(/^[/\\]{2,}[^/\\]+/, '') || '/',
  (path) => resolved(path, STEP, true),
  (path) => resolved(path, STEP, false),
  (path) => resolved(path, ENCODED_STEP, true),
  (path) => resolved(path, ENCODED_STEP, false),
];

/** Whether everybody reads a path in the same way: nothing in it is encoded, empty, or a step to elsewhere. */
export function isPlainPath(path: string): boolean {
  return !/%|\\|;|\/\/|\/\.{1,2}(\/|$)/.test(path);
}

/**
 * Whether something holds for a path in whatever way somebody reads it, as received to begin with. It does not where there
 * are more ways than anybody needs.
 */
export function everyReading(path: string, holds: (reading: string) => boolean): boolean {
  const readings = new Set([path]);
  let chars = 0;
  // Those found on the way are gone through too.
  for (const reading of readings) {
    chars += reading.length;
    if (readings.size > READINGS_MAX || chars > READINGS_CHARS_MAX || !holds(reading)) return false;
    for (const habit of HABITS) readings.add(habit(reading));
  }
  return true;
}

function charOf(_code: string, digits: string): string {
  return String.fromCharCode(Number.parseInt(digits, 16));
}

function inOneForm(code: string, digits: string): string {
  const char = charOf(code, digits);
  return UNRESERVED.test(char) ? char : code.toUpperCase();
}

function upTo(path: string, end: number): string {
  return end < 0 ? path : path.slice(0, end);
}

/** Without the steps `.` and `..`. `folder`: where one of these is the last, it leads to something that ends with a slash. */
function resolved(path: string, step: RegExp, folder: boolean): string {
  if (!step.test(path)) return path;
  const left: string[] = [];
  let taken = false;
  for (const part of path.split('/').slice(1)) {
    const dots = dotsOf(part, step === ENCODED_STEP);
    if (dots === 0) left.push(part);
    else if (dots === 2) left.pop();
    taken = dots > 0;
  }
  return `/${left.join('/')}${taken && folder && left.length > 0 ? '/' : ''}`;
}

/** How many dots a part is; 0 = it is something else. */
function dotsOf(part: string, encoded: boolean): number {
  if (part.length > '%2e%2e'.length) return 0;
  const dots = encoded ? part.replace(/%2e/gi, '.') : part;
  return dots === '.' || dots === '..' ? dots.length : 0;
}
