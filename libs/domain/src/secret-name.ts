/** What stands where a secret was. */
export const REDACTED = '[redacted]';

const SECRET_NAME =
  /secret|token|passw|authorization|cookie|credential|private[_-]?key|api[_-]?key|access[_-]?key/i;

/** Whether a value of this name may be a secret, and is not to be shown. */
export function tellsSecret(name: string): boolean {
  return SECRET_NAME.test(name);
}
