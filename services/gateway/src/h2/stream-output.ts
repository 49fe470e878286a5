import type { ClientHttp2Stream } from 'node:http2';
import { ChunkedScanner } from '@usher/http1';
import type { Lifetime } from '../wire/read-buffers.ts';
import type { RequestOutput } from '../wire/upstream.ts';
import { requestFields } from './request-fields.ts';
import { asHeaders, type FieldList, trailerFields } from './response-fields.ts';

/** What an output needs of its stream. */
export interface OutputStream {
  /** `bare`: no body follows; `mayTrail`: trailers may come after it. */
  begin(fields: FieldList, bare: boolean, mayTrail: boolean, toHead: boolean): ClientHttp2Stream;
  onUnblocked(): void;
}

/** Takes a request as HTTP/1.1 writes it and puts it on a stream. */
export class StreamOutput implements RequestOutput {
  blocked = false;
  readonly refusable = true;
  private readonly scheme: string;
  private readonly to: OutputStream;
  private stream: ClientHttp2Stream | undefined;
  /** Takes the body out of its chunks, if it comes in them. */
  private scanner: ChunkedScanner | undefined;
  private left = 0;

  constructor(scheme: string, to: OutputStream) {
    this.scheme = scheme;
    this.to = to;
  }

  text(head: string): void {
    const { fields, toHead } = requestFields(head, this.scheme);
    this.stream = this.to.begin(fields, true, false, toHead);
  }

  headAndPieces(head: string, pieces: readonly Buffer[]): void {
    const { fields, toHead, length } = requestFields(head, this.scheme);
    const bare = length === 0;
    const stream = this.to.begin(fields, bare, length === undefined, toHead);
    this.stream = stream;
    if (bare) return;
    stream.on('drain', this.onDrain);
    if (length === undefined) this.unpack(stream);
    else this.left = length;
    for (const piece of pieces) this.part(piece, 0, piece.length, 'ever');
  }

  part(bytes: Buffer, start: number, end: number, lifetime: Lifetime): void {
    if (this.scanner === undefined) {
      this.left -= end - start;
      this.write(bytes, start, end, lifetime);
      if (this.left === 0) this.stream?.end();
      return;
    }
    // It was found valid on its way here.
    this.scanner.scan(bytes, start, end);
    if (this.scanner.complete) this.stream?.end();
  }

  private unpack(stream: ClientHttp2Stream): void {
    const scanner = new ChunkedScanner((bytes, start, end) => this.write(bytes, start, end, 'call'));
    this.scanner = scanner;
    stream.on('wantTrailers', () => stream.sendTrailers(asHeaders(trailerFields(scanner.trailers))));
  }

  private write(bytes: Uint8Array, start: number, end: number, lifetime: Lifetime): void {
    const { stream } = this;
    if (stream === undefined || stream.destroyed || end === start) return;
    const part = bytes.subarray(start, end);
    if (!stream.write(lifetime === 'ever' ? part : Buffer.from(part))) this.blocked = true;
  }

  private readonly onDrain = (): void => {
    if (!this.blocked) return;
    this.blocked = false;
    this.to.onUnblocked();
  };
}
