import { ERRORS, type ErrorCode, UsherError } from '@usher/domain';
import { COMMANDS_PREFIX, type CommandAnswer, type CommandName, parseCommand } from '@usher/events';
import type { ServiceContext } from '@usher/ports';
import type { FastifyRequest } from 'fastify';
import { readIfMatch } from './input.ts';

/** How long the leader may take to make a command durable. */
const ANSWER_TIMEOUT_MS = 5000;
/** How long to wait for this process to have folded what the command did. */
const FOLD_TIMEOUT_MS = 1000;

/** What a caller wants, not yet checked. */
export interface Wish {
  readonly name: unknown;
  readonly data: unknown;
  readonly actor?: unknown;
  readonly reason?: unknown;
  readonly expectRevision?: unknown;
}

export interface Accepted {
  /** Position of the record that the command's events are in. */
  readonly position: number;
  /** Types of its events. */
  readonly events: readonly string[];
  /** The same command had been accepted before; nothing was changed. */
  readonly repeated: boolean;
}

/**
 * Sends a command to the leader and answers when its events are durable, and folded here: a read that follows sees what
 * the command did. Throws UsherError for what is refused.
 */
export async function sendCommand(
  context: ServiceContext,
  request: FastifyRequest,
  wish: Wish,
): Promise<Accepted> {
  const { bus, events: log, random } = context;
  const { replaced, fault } = log.status();
  // Whoever leads may have the right log; but what this process shows is not the state that the command would change.
  if (replaced === true) throw new UsherError('log_replaced', fault);
  const command = parseCommand({
    ...wish,
    id: request.headers['idempotency-key'] ?? random.uuid(),
    actor: actorOf(request, wish.actor),
    ...(request.identity?.role === 'operate' ? { role: 'operate' } : {}),
    ...expectedRevision(request, wish.expectRevision),
  });
  if (typeof command === 'string') throw new UsherError('invalid_input', command);
  const subject = `${COMMANDS_PREFIX}.${command.name satisfies CommandName}`;
  const answer = JSON.parse(
    await bus.request(subject, JSON.stringify(command), ANSWER_TIMEOUT_MS),
  ) as CommandAnswer;
  if (!answer.ok) {
    // A scheduler of another version may know codes that we do not.
    const { code, detail, revision, changes } = answer.problem;
    const known: ErrorCode = Object.hasOwn(ERRORS, code) ? code : 'internal';
    throw new UsherError(known, detail, revision === undefined ? {} : { outdated: { revision, changes } });
  }
  const { position, events, repeated } = answer;
  await folded(context, position);
  return { position, events, repeated };
}

/** Whose token it is, and on whose behalf if they say so. Nobody can act in the name of another token. */
function actorOf({ identity }: FastifyRequest, claimed: unknown): unknown {
  const name = identity?.name ?? 'nobody';
  if (claimed === undefined || claimed === name) return name;
  return typeof claimed === 'string' ? `${name}/${claimed}` : claimed;
}

function expectedRevision(request: FastifyRequest, given: unknown): { expectRevision?: unknown } {
  const required = readIfMatch(request.headers['if-match']);
  if (required === undefined) return given === undefined ? {} : { expectRevision: given };
  if (given !== undefined && given !== required)
    throw new UsherError('invalid_input', 'If-Match and expectRevision name different revisions');
  return { expectRevision: required };
}

/** Resolves when the process's fold has reached a position, or after a while without it: the command is durable either way. */
async function folded({ fleet, clock }: ServiceContext, position: number): Promise<void> {
  if (fleet.position >= position) return;
  await new Promise<void>((resolve) => {
    const timer = clock.after(FOLD_TIMEOUT_MS, () => done());
    const records = fleet.onRecord(() => {
      if (fleet.position >= position) done();
    });
    const done = () => {
      timer.cancel();
      records.stop();
      resolve();
    };
  });
}
