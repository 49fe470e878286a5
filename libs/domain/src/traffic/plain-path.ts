/** How often a path may have been encoded so that somebody still reads it. */
const DECODINGS_MAX = 2;
const ENCODED = /%([0-9A-Fa-f]{2})/g;

/** Whether everybody reads a path in the same way: nothing in it is encoded, empty, or a step to elsewhere. */
export function isPlainPath(path: string): boolean {
  return !/%|\\|;|\/\/|\/\.{1,2}(\/|$)/.test(path);
}

/** What a path is to those that decode it, once or twice, and take its steps. */
export function plainPaths(path: string): string[] {
  const readings: string[] = [];
  let decoded = path;
  for (let times = 0; times <= DECODINGS_MAX; times++) {
    readings.push(resolved(decoded));
    decoded = decoded.replace(ENCODED, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    );
  }
  return readings;
}

/** Without empty parts, parameters of parts, and the parts `.` and `..`. */
function resolved(path: string): string {
  const parts: string[] = [];
  for (const part of path.split(/[/\\]/)) {
    const name = part.split(';', 1)[0]!;
    if (name === '..') parts.pop();
    else if (name !== '' && name !== '.') parts.push(name);
  }
  const folder = /[/\\]$/.test(path) && parts.length > 0;
  return `/${parts.join('/')}${folder ? '/' : ''}`;
}
