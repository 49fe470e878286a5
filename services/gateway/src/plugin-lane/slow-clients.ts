import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { PolicySettings } from '@usher/domain';
import { BodyPace } from '../wire/body-pace.ts';
import { sendPlainProblem } from './raw-requests.ts';

/** How often requests under way are looked at, and so how late it may be noticed that a client is too slow. */
export const LOOK_MS = 500;

/** So many are looked at in one go, and no more than one of them is ended: others are not to wait while hundreds are dealt with. */
const LOOKED_AT_ONCE_MAX = 100;

/** What a client is waited for: the rest of a request's body, or that it takes what waits for it of the response. */
export type SlowPart = 'request' | 'response';

/** What is told of a client that is too slow. */
type OnSlow = (response: ServerResponse, part: SlowPart, requestId: string) => void;

/** What was seen of a request when it was looked at last. */
interface Seen {
  readonly pace: BodyPace | undefined;
  bytesIn: number;
  bytesOut: number;
  /** When a part of the body came last, or the backend did not take what had come. */
  cameMs: number;
  /** When a part of the response was taken last, or none waited. */
  takenMs: number;
}

interface UnderWay {
  readonly requestId: string;
  /** Node takes it from the request when that is over. */
  readonly socket: Socket;
  seen: Seen | undefined;
}

/**
 * Finds the clients that are too slow for `timeouts.body_idle` or `limits.body_rate`. It compares what their connections
 * have carried, now and then, so that nothing is done for any piece that passes, and hardly anything for a request that is
 * over before the next look. A client whose connection is another lane's is left to that lane.
 */
export class SlowClients {
  readonly #onSlow: OnSlow;
  readonly #underWay = new Map<ServerResponse, UnderWay>();
  /** Where the present round is. */
  #round: MapIterator<[ServerResponse, UnderWay]> | undefined;

  constructor(onSlow: OnSlow) {
    this.#onSlow = onSlow;
  }

  begin(response: ServerResponse, requestId: string): void {
    this.#underWay.set(response, { requestId, socket: response.req.socket, seen: undefined });
  }

  /** It is answered, but the rest of a body that nobody wanted may still come, and as slowly. */
  answered(response: ServerResponse): void {
    if (response.req.complete) this.#underWay.delete(response);
  }

  /**
   * Looks at some of the requests under way; true when there are more to look at. A round through all of them should begin
   * every `LOOK_MS`, and go on soon as long as there are more.
   */
  look(nowMs: number, { timeouts, limits }: Pick<PolicySettings, 'timeouts' | 'limits'>): boolean {
    this.#round ??= this.#underWay.entries();
    for (let looked = 0; looked < LOOKED_AT_ONCE_MAX; looked++) {
      const next = this.#round.next();
      if (next.done === true) {
        this.#round = undefined;
        return false;
      }
      const [response, underWay] = next.value;
      const { socket } = underWay;
      if (socket.destroyed || (response.writableFinished && response.req.complete)) {
        this.#underWay.delete(response);
      } else if (socket instanceof Socket) {
        const part = this.#slowPart(response, socket, underWay, nowMs, timeouts.bodyIdleMs);
        underWay.seen ??= firstSight(socket, nowMs, limits.bodyRateBytesPerS);
        if (part === undefined) continue;
        this.#onSlow(response, part, underWay.requestId);
        break;
      }
    }
    return true;
  }

  #slowPart(
    response: ServerResponse,
    socket: Socket,
    { seen }: UnderWay,
    nowMs: number,
    idleMs: number,
  ): SlowPart | undefined {
    if (seen === undefined) return undefined;
    if (waitsForBody(response, socket, seen, nowMs, idleMs)) return 'request';
    return waitsForReader(socket, seen, nowMs, idleMs) ? 'response' : undefined;
  }
}

function firstSight(socket: Socket, nowMs: number, bytesPerS: number): Seen {
  const pace = bytesPerS > 0 ? new BodyPace(bytesPerS, nowMs) : undefined;
  return {
    pace,
    bytesIn: socket.bytesRead,
    bytesOut: takenOf(socket),
    cameMs: nowMs,
    takenMs: nowMs,
  };
}

/**
 * True when the body has to go on, the backend would take it, and it came too slowly or not at all. While a response goes
 * on, a request may take its time: the two may be a conversation.
 */
function waitsForBody(
  { req, headersSent, writableFinished }: ServerResponse,
  socket: Socket,
  seen: Seen,
  nowMs: number,
  idleMs: number,
): boolean {
  if (req.complete || (headersSent && !writableFinished)) return false;
  const came = socket.bytesRead - seen.bytesIn;
  seen.bytesIn += came;
  // What was read and not used waits for the backend.
  const held = req.readableLength > 0;
  if (held) seen.pace?.restart(nowMs);
  if (held || came > 0) seen.cameMs = nowMs;
  const paceMs = seen.pace?.received(came, nowMs) ?? Infinity;
  return nowMs >= Math.min(seen.cameMs + idleMs, paceMs);
}

/** True when a part of the response has waited too long for the client to take any of it. */
function waitsForReader(socket: Socket, seen: Seen, nowMs: number, idleMs: number): boolean {
  const bytesOut = takenOf(socket);
  if (bytesOut !== seen.bytesOut || socket.writableLength === 0) seen.takenMs = nowMs;
  seen.bytesOut = bytesOut;
  return nowMs >= seen.takenMs + idleMs;
}

/** What the kernel has taken. */
function takenOf(socket: Socket): number {
  return socket.bytesWritten - socket.writableLength;
}

/**
 * A client that is too slow is told so where there is still a place for it; in any case it loses its connection. Node
 * forgets a request that it has answered, so the request itself is destroyed: only then does the backend get no more of it.
 */
export function endSlow(response: ServerResponse, part: SlowPart, requestId: string): void {
  const { req } = response;
  if (part === 'response' || response.headersSent) {
    req.destroy();
    return;
  }
  response.setHeader('connection', 'close');
  response.once('finish', () => req.destroy());
  sendPlainProblem(response, 'request_timeout', requestId);
}
