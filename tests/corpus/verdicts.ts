/** How the end of a body is found, as the peer that received it found it. */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

/** A body with the way it is framed; `payload` is latin1 and without chunk framing. */
export interface Body {
  readonly framing: Framing;
  readonly payload: string;
  /** Chunked bodies pass as they are: their bytes with sizes, extensions and trailers, where a case wants them checked. */
  readonly wire?: string;
}

export const none: Body = { framing: 'none', payload: '' };
export const length = (payload: string): Body => ({ framing: 'length', payload });
export const untilClose = (payload: string): Body => ({ framing: 'close', payload });

/** `wire` is the body as it has to arrive, byte for byte. */
export const chunked = (payload: string, wire?: string): Body =>
  wire === undefined ? { framing: 'chunked', payload } : { framing: 'chunked', payload, wire };

/** The backend gets exactly this request, once, and the client gets the answer to it. */
export interface Forwarded {
  readonly kind: 'forwarded';
  /** Method and target as the backend gets them. */
  readonly line: string;
  readonly body: Body;
  /** The connection ends after the answer, and nothing behind the request is served. */
  readonly closes: boolean;
  /** Header lines that the backend gets, each exactly once. */
  readonly sees: readonly string[];
  /** Header names that the backend does not get, in lower case. */
  readonly hides: readonly string[];
}

/** The client is answered with this error, the connection ends, and the backend gets no whole request from what was sent. */
export interface Refused {
  readonly kind: 'refused';
  readonly status: number;
}

/** A request that has not ended yet: nothing is answered, and when the client leaves the backend has got no whole request. */
export interface Unfinished {
  readonly kind: 'unfinished';
}

export type Outcome = Forwarded | Refused | Unfinished;

interface ForwardedOptions {
  readonly closes?: boolean;
  readonly sees?: readonly string[];
  readonly hides?: readonly string[];
}

export function forwarded(line: string, body: Body = none, options: ForwardedOptions = {}): Forwarded {
  const { closes = false, sees = [], hides = [] } = options;
  return { kind: 'forwarded', line, body, closes, sees, hides };
}

export const refused = (status: number): Refused => ({ kind: 'refused', status });
export const unfinished: Unfinished = { kind: 'unfinished' };

/** Bytes of a client and what has to come of them: one outcome per request in them, in their order. */
export interface RequestCase {
  readonly name: string;
  /** RFC and section that decide it. */
  readonly section: string;
  /** Latin1: one character per byte. */
  readonly raw: string;
  readonly outcomes: readonly Outcome[];
}

export function request(
  name: string,
  section: string,
  raw: string,
  ...outcomes: readonly Outcome[]
): RequestCase {
  return { name, section, raw, outcomes };
}

/** What the client gets for what the backend sent. */
export interface Answered {
  readonly kind: 'answered';
  readonly status: number;
  readonly body: Body;
  /** Statuses of the informational responses before it. */
  readonly informational: readonly number[];
  /** Whether the client's connection serves another request afterwards. */
  readonly client: 'kept' | 'closed';
  /** Whether the backend's connection does. */
  readonly backend: 'kept' | 'closed';
  /** Status line as the client gets it, where a case wants it checked. */
  readonly line?: string;
  readonly sees: readonly string[];
  readonly hides: readonly string[];
}

/**
 * The response turns out to be invalid behind its head. The client gets a whole 502 when nothing of it was passed on yet,
 * or else the beginning of it and a connection that breaks off: never what looks like a whole response.
 */
export interface Broken {
  readonly kind: 'broken';
  readonly status: number;
  /** What at most gets through of the body. */
  readonly payload: string;
}

type AnsweredOptions = Partial<Omit<Answered, 'kind' | 'status' | 'body'>>;

export function answered(status: number, body: Body, options: AnsweredOptions = {}): Answered {
  const closes = body.framing === 'close' ? 'closed' : 'kept';
  const defaults = { informational: [], client: closes, backend: closes, sees: [], hides: [] } as const;
  return { kind: 'answered', status, body, ...defaults, ...options };
}

export const broken = (status: number, payload = ''): Broken => ({ kind: 'broken', status, payload });

/** What a backend sent is no response: the client gets a 502 on a connection that stays, the backend's is closed. */
export const badGateway: Answered = answered(502, length(''), { backend: 'closed' });

/** Which request a response answers. */
export type Asked = 'GET' | 'HEAD' | 'POST' | 'GET in 1.0' | 'HEAD in 1.0' | 'GET in 1.0 with keep-alive';

/** Bytes of a backend and what has to come of them. */
export interface ResponseCase {
  readonly name: string;
  readonly section: string;
  readonly raw: string;
  readonly asked: Asked;
  /** What the backend does behind the last byte. */
  readonly behind: 'stays' | 'closes';
  readonly outcome: Answered | Broken;
}

interface ResponseOptions {
  readonly asked?: Asked;
  readonly behind?: 'stays' | 'closes';
}

export function response(
  name: string,
  section: string,
  raw: string,
  outcome: Answered | Broken,
  { asked = 'GET', behind = 'stays' }: ResponseOptions = {},
): ResponseCase {
  return { name, section, raw, asked, behind, outcome };
}
