/** `error`: Usher does not start, or serves worse than it should. `warning`: it will when something else happens. */
type Level = 'ok' | 'warning' | 'error';

export interface Finding {
  /** What was looked at, in a word or two. */
  readonly about: string;
  readonly level: Level;
  /** What is so, in a sentence. */
  readonly message: string;
  /** What to do about it; there unless all is well. */
  readonly remedy?: string;
}

/** Makes the findings about one thing. */
export function findingsAbout(about: string) {
  return {
    ok: (message: string): Finding => ({ about, level: 'ok', message }),
    warning: (message: string, remedy: string): Finding => ({ about, level: 'warning', message, remedy }),
    error: (message: string, remedy: string): Finding => ({ about, level: 'error', message, remedy }),
  };
}
