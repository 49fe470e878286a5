import type { ErrorCode } from '@usher/domain';
import type { ConnectionLine } from './forward-response.ts';
import { type Answered, answerText, problemAnswer } from './own-answer.ts';

/** What an error answer depends on besides the error. */
export interface ProblemContext extends Answered {
  readonly connection: ConnectionLine;
  /** It answers a HEAD request: the same head, no body. */
  readonly toHead: boolean;
}

/** A whole error answer (RFC 9457), ready to be written as latin1. */
export function problemResponse(code: ErrorCode, detail: string, context: ProblemContext): string {
  return answerText(problemAnswer(code, detail, context), context.connection, context.toHead);
}
