/** A table of what a system documents beside its keys. Each row is a test, in `tests/migrate`. */
export interface PageSection {
  readonly heading: string;
  /** What stands over the two columns. */
  readonly columns: readonly [what: string, outcome: string];
  /** What is documented, and what happens with Usher. */
  readonly rows: Readonly<Record<string, string>>;
}

export const examples = (rows: PageSection['rows']): PageSection => ({
  heading: 'Examples',
  columns: ['File', 'Is'],
  rows,
});

export const strategies = (rows: PageSection['rows']): PageSection => ({
  heading: 'Strategies',
  columns: ['Strategy', 'Distributes'],
  rows,
});

export const calls = (rows: PageSection['rows']): PageSection => ({
  heading: 'Calls',
  columns: ['Call', 'Answers'],
  rows,
});

export const answers = (rows: PageSection['rows']): PageSection => ({
  heading: 'Answers',
  columns: ['When', 'Clients get'],
  rows,
});
