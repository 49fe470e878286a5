import { type ClientHttp2Stream, constants } from 'node:http2';
import { addAbortSignal } from 'node:stream';
import type { AttemptOutcome, Endpoint } from '../routing-table.ts';
import type { ConnectLoss } from '../wire/dialler.ts';
import type { Upstream, UpstreamUser } from '../wire/upstream.ts';
import type { BackendSession } from './backend-session.ts';
import { chunkOf, lastChunk } from './chunks.ts';
import { responseText, trailerLines } from './response-text.ts';
import { StreamOutput } from './stream-output.ts';

const END_STREAM = 1;
const ABORTED = AbortSignal.abort();

/** One request on a session with a backend. What the backend answers is told as HTTP/1.1 would have it. */
export class BackendStream implements Upstream {
  readonly endpoint: Endpoint;
  readonly output: StreamOutput;
  readonly isReusable = true;
  private readonly session: BackendSession;
  private readonly onOldSession: boolean;
  private user: UpstreamUser | undefined;
  private stream: ClientHttp2Stream | undefined;
  private chunked = false;
  private trailers = '';
  private paused = false;

  constructor(session: BackendSession, user: UpstreamUser, onOldSession: boolean) {
    this.session = session;
    this.endpoint = session.endpoint;
    this.user = user;
    this.onOldSession = onOldSession;
    this.output = new StreamOutput(session.endpoint.tls === undefined ? 'http' : 'https', {
      begin: (fields, bare, mayTrail, toHead) => this.begin(session.request(fields, bare, mayTrail), toHead),
      onUnblocked: () => this.user?.onUpstreamUnblocked(),
    });
  }

  /** As long as the session lives, whatever became of the request had nothing to do with its age. */
  get reused(): boolean {
    return this.onOldSession && this.session.over;
  }

  pause(): void {
    this.paused = true;
    this.stream?.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.stream?.resume();
  }

  release(idleUntilMs: number): void {
    this.user = undefined;
    this.session.idleUntil(idleUntilMs);
    // What still comes is thrown away.
    this.stream?.resume();
  }

  destroy(outcome?: AttemptOutcome): void {
    this.user = undefined;
    this.session.leave(this);
    // Perhaps nobody is at the other end any more, and whoever came next would wait as long.
    if (outcome === 'response_timeout') this.session.retire();
    // A reset with CANCEL. `close` would end it first, which a backend could take for the end of a request.
    if (this.stream !== undefined) addAbortSignal(ABORTED, this.stream);
  }

  onConnected(): void {
    this.user?.onConnected();
  }

  onNoConnection(loss: ConnectLoss): void {
    const { user } = this;
    this.user = undefined;
    user?.onLost(loss, true);
  }

  private begin(stream: ClientHttp2Stream, toHead: boolean): ClientHttp2Stream {
    this.stream = stream;
    stream.on('headers', (_headers, _flags, raw) => this.tell(responseText(raw).text));
    stream.on('response', (_headers, flags, raw) => {
      const head = responseText(raw, toHead || (flags & END_STREAM) !== 0, toHead);
      this.chunked = head.chunked;
      this.tell(head.text);
    });
    stream.on('data', (data: Buffer) => {
      if (data.length > 0) this.pass(this.chunked ? chunkOf(data) : data);
    });
    stream.on('trailers', (_headers, _flags, raw) => (this.trailers = trailerLines(raw)));
    stream.on('end', () => {
      if (this.chunked && stream.rstCode === constants.NGHTTP2_NO_ERROR) this.pass(lastChunk(this.trailers));
    });
    // 'close' always follows.
    stream.on('error', () => {});
    stream.on('close', () => this.onClose(stream));
    return stream;
  }

  private tell(text: string): void {
    this.pass(Buffer.from(text, 'latin1'));
  }

  private pass(bytes: Buffer): void {
    this.user?.onResponseData(bytes, bytes.length, 'ever');
  }

  private onClose(stream: ClientHttp2Stream): void {
    const { user } = this;
    this.user = undefined;
    user?.onLost('backend_closed', this.session.ignores(stream));
  }
}
