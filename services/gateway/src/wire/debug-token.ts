import { lineNamed, type RequestHead } from '@usher/http1';
import { secretFinder } from '@usher/runtime';
import type { PoolTable } from '../routing-table.ts';
import { panicCount } from '../table/panic.ts';

/** Where a request shows the token, and where its answer says what only its owners shall know. */
const ASKING = 'x-usher-debug';
export const PANIC_HEADER = 'x-usher-panic';

/** Who may see in an answer how a pool is: whoever knows the token. Nobody else learns that there is something to see. */
export class DebugToken {
  readonly #isIt: (shown: string) => true | undefined;

  constructor(token: string) {
    this.#isIt = secretFinder([{ secret: token, whose: true as const }]);
  }

  /** For a pool in panic: `2/5`, of five backends two are eligible. Empty for a request without the token. */
  noteForHead(pool: PoolTable, { text, fields }: RequestHead): string {
    const line = lineNamed(text, fields, ASKING);
    return line < 0 ? '' : this.#note(pool, text.slice(fields.valueStart(line), fields.valueEnd(line)));
  }

  /** The same for a request that Node has parsed. */
  noteForMessage(
    pool: PoolTable,
    headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  ): string {
    const shown = headers[ASKING];
    return typeof shown === 'string' ? this.#note(pool, shown) : '';
  }

  #note(pool: PoolTable, shown: string): string {
    if (this.#isIt(shown) !== true) return '';
    const { eligible, backends } = panicCount(pool);
    return `${eligible}/${backends}`;
  }
}
