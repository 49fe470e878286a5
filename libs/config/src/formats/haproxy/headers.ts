import type { Input } from '../../input/input.ts';
import { map, unlessEmpty } from '../draft.ts';
import { headersOf, removedHeaders, type WrittenHeader } from '../header-edits.ts';
import type { Remarks } from '../remarks.ts';
import type { Spot } from './places.ts';
import { askedAt, isAlways, type Rule, type Transport } from './rules.ts';
import { templateOf } from './templates.ts';

const ACTION = /^(http-request|http-response|http-after-response) (set|add|del)-header$/;

interface Edit {
  /** Nothing is left of what there was. */
  isCleared: boolean;
  readonly name: WrittenHeader;
  readonly lines: WrittenHeader[];
}

/** What rules change in the header of requests or answers at a place. */
export function headerEditsAt(
  side: 'request' | 'response',
  rules: readonly Rule[],
  spot: Spot,
  transport: Transport,
  remarks: Remarks,
): Input | undefined {
  const edits = new Map<string, Edit>();
  for (const rule of rules) {
    const [, keyword, action] = ACTION.exec(rule.name) ?? [];
    if (keyword === undefined || (keyword === 'http-request') !== (side === 'request')) continue;
    const [name, text] = rule.args;
    const asked = askedAt(rule, spot, transport);
    if (name === undefined || asked.length === 0 || isForwarded(name.text)) continue;
    const options = rule.args.slice(action === 'del' ? 1 : 2);
    if (!isAlways(asked)) remarks.lost(rule.name, rule.at, 'its condition is not one of host and path');
    else if (options.length > 0) remarks.lost(rule.name, options[0]!.at, 'headers are named in full');
    else {
      const key = name.text.toLowerCase();
      const header = { name: name.text, text: '', at: rule.at };
      const edit: Edit = edits.get(key) ?? { isCleared: false, name: header, lines: [] };
      edits.set(key, edit);
      if (action !== 'add') {
        edit.isCleared = true;
        edit.lines.length = 0;
      }
      if (action !== 'del')
        edit.lines.push({ ...header, text: templateOf(text?.text ?? '') ?? '', isTemplate: true });
    }
  }
  return editsInput([...edits.values()], `http-${side}`, remarks);
}

function editsInput(edits: readonly Edit[], keyword: string, remarks: Remarks): Input | undefined {
  const set = edits.flatMap(({ isCleared, lines }) => (isCleared ? lines.slice(0, 1) : []));
  const add = edits.flatMap(({ isCleared, lines }) => (isCleared ? lines.slice(1) : lines));
  const removed = edits.flatMap(({ isCleared, lines, name }) =>
    isCleared && lines.length === 0 ? [name] : [],
  );
  return unlessEmpty(
    map({
      set: headersOf(set, keyword, remarks),
      add: headersOf(add, keyword, remarks),
      remove: removedHeaders(removed, keyword, remarks),
    }),
  );
}

/** Headers that Usher sends by itself. */
function isForwarded(name: string): boolean {
  return /^x-forwarded-(for|proto|host)$/i.test(name);
}
