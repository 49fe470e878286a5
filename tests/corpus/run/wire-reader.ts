import type { Body, Framing } from '../verdicts.ts';

/** One message as its receiver understood it. */
export interface WireMessage {
  readonly line: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Body;
}

/** A message whose end has not come: its head, if that is there, and all bytes of it. */
export interface Beginning {
  readonly line: string | undefined;
  readonly fields: WireMessage['fields'];
  readonly framing: Framing | undefined;
  readonly raw: string;
}

const HEAD = /^[!-~]+ [\t -~\x80-\xff]*\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)*\r\n$/;
const SIZE_LINE = /(?<size>[0-9A-Fa-f]+)(?:[\t ]*;[\t -~\x80-\xff]*)?\r\n/y;
const TRAILERS = /(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)*\r\n/y;

/**
 * Reads messages as a peer of the gateway that shares no code with it and guesses nothing: what it finds ambiguous is
 * a fault. Text is latin1, one character per byte.
 */
export class WireReader {
  readonly messages: WireMessage[] = [];
  /** What the other end did that it must never do. */
  fault: string | undefined;
  private text = '';
  private readonly kind: 'request' | 'response';
  private readonly onMessage: ((message: WireMessage) => void) | undefined;
  /** Responses answer HEAD: they end with their heads. */
  bodiless = false;

  constructor(kind: 'request' | 'response', onMessage?: (message: WireMessage) => void) {
    this.kind = kind;
    this.onMessage = onMessage;
  }

  push(text: string): void {
    this.text += text;
    while (this.fault === undefined && this.text !== '' && this.takeMessage(false));
  }

  /** The other end has sent its last byte in an orderly way. */
  end(): void {
    while (this.fault === undefined && this.text !== '' && this.takeMessage(true));
  }

  /** The message that has begun and not ended; undefined between messages. */
  get beginning(): Beginning | undefined {
    if (this.text === '') return undefined;
    const head = this.head();
    if (head === undefined) return { line: undefined, fields: [], framing: undefined, raw: this.text };
    return { ...head, framing: this.framingOf(head), raw: this.text };
  }

  private takeMessage(ended: boolean): boolean {
    const head = this.head();
    if (head === undefined) return false;
    const framing = this.framingOf(head);
    if (this.fault !== undefined) return false;
    const found = this.bodyAt(head.end, framing, head, ended);
    if (found === undefined) return false;
    const message = { line: head.line, fields: head.fields, body: found.body };
    this.text = this.text.slice(found.end);
    this.messages.push(message);
    this.onMessage?.(message);
    return true;
  }

  private head(): { line: string; fields: WireMessage['fields']; end: number } | undefined {
    const blank = this.text.indexOf('\r\n\r\n');
    if (blank < 0) return undefined;
    const end = blank + 4;
    const raw = this.text.slice(0, end);
    if (!HEAD.test(raw)) this.fault = `no valid head: ${JSON.stringify(raw)}`;
    const [line = '', ...lines] = raw.slice(0, -4).split('\r\n');
    const fields = lines.map((each) => {
      const colon = each.indexOf(':');
      return [each.slice(0, colon), each.slice(colon + 1).replaceAll(/^[\t ]+|[\t ]+$/g, '')] as const;
    });
    return { line, fields, end };
  }

  private framingOf({ line, fields }: { line: string; fields: WireMessage['fields'] }): Framing {
    const lengths = valuesOf(fields, 'content-length');
    const codings = valuesOf(fields, 'transfer-encoding');
    const status = this.kind === 'response' ? Number(line.split(' ')[1]) : 0;
    const coded = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked';
    if (lengths.length + codings.length > 1 || (codings.length > 0 && !coded)) this.ambiguous(line, fields);
    if (lengths.some((value) => !/^\d+$/.test(value))) this.ambiguous(line, fields);
    if (this.kind === 'response') {
      if ((status < 200 || status === 204) && lengths.length + codings.length > 0)
        this.ambiguous(line, fields);
      if (status < 200 || status === 204 || status === 304 || this.bodiless) return 'none';
    }
    if (coded) return 'chunked';
    if (lengths.length > 0) return 'length';
    return this.kind === 'request' ? 'none' : 'close';
  }

  private ambiguous(line: string, fields: WireMessage['fields']): void {
    this.fault ??= `ambiguous framing: ${JSON.stringify([line, ...fields])}`;
  }

  private bodyAt(
    start: number,
    framing: Framing,
    { fields }: { fields: WireMessage['fields'] },
    ended: boolean,
  ): { body: Body; end: number } | undefined {
    if (framing === 'none') return { body: { framing, payload: '' }, end: start };
    if (framing === 'chunked') return this.chunksAt(start);
    if (framing === 'close') {
      return ended
        ? { body: { framing, payload: this.text.slice(start) }, end: this.text.length }
        : undefined;
    }
    const end = start + Number(valuesOf(fields, 'content-length')[0]);
    return this.text.length < end
      ? undefined
      : { body: { framing, payload: this.text.slice(start, end) }, end };
  }

  private chunksAt(start: number): { body: Body; end: number } | undefined {
    let payload = '';
    let at = start;
    for (;;) {
      SIZE_LINE.lastIndex = at;
      const size = SIZE_LINE.exec(this.text);
      if (size === null) return undefined;
      const data = SIZE_LINE.lastIndex;
      const count = Number.parseInt(size.groups?.['size'] ?? '', 16);
      if (count === 0) {
        TRAILERS.lastIndex = data;
        if (!TRAILERS.test(this.text)) return undefined;
        const end = TRAILERS.lastIndex;
        return { body: { framing: 'chunked', payload, wire: this.text.slice(start, end) }, end };
      }
      at = data + count + 2;
      if (this.text.length < at || this.text.slice(at - 2, at) !== '\r\n') return undefined;
      payload += this.text.slice(data, at - 2);
    }
  }
}

/** Values of the fields with this lower-case name. */
export function valuesOf(fields: WireMessage['fields'], name: string): string[] {
  return fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
}
