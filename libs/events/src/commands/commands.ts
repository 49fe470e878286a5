import type { Problem } from '@usher/domain';
import { z } from 'zod';
import { BACKEND_COMMANDS } from './backend-commands.ts';
import { CONFIG_COMMANDS } from './config-commands.ts';
import type { CommandDeclaration } from './declaration.ts';
import { POOL_COMMANDS } from './pool-commands.ts';
import { SESSION_COMMANDS } from './session-commands.ts';

/** Every command there is. Its subject is `usher.commands.<name>`. */
export const COMMANDS = {
  ...BACKEND_COMMANDS,
  ...POOL_COMMANDS,
  ...CONFIG_COMMANDS,
  ...SESSION_COMMANDS,
} as const satisfies Readonly<Record<string, CommandDeclaration>>;

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as [CommandName, ...CommandName[]];
/** As it is carried out. */
export type CommandData<N extends CommandName> = z.infer<(typeof COMMANDS)[N]['data']>;
/** As it may be sent. */
export type CommandInput<N extends CommandName> = z.input<(typeof COMMANDS)[N]['data']>;

/** A wish to change the fleet. The same id again is the same command: it is answered alike and changes nothing. */
export interface CommandOf<N extends CommandName> {
  readonly id: string;
  readonly name: N;
  readonly data: CommandData<N>;
  readonly actor: string;
  readonly reason?: string | undefined;
  /** Revision that the sender saw of what the command is about; refused with `conflict` if it has changed since. */
  readonly expectRevision?: number | undefined;
  /** The sender may operate the fleet, but not make it less safe; absent: they may. */
  readonly role?: 'operate' | undefined;
}
export type Command = { [N in CommandName]: CommandOf<N> }[CommandName];

/** `ok` means durable: the events named are in the log at `position`. `repeated`: they already were. */
export type CommandAnswer =
  | {
      readonly ok: true;
      readonly position: number;
      readonly events: readonly string[];
      readonly repeated: boolean;
    }
  | { readonly ok: false; readonly problem: Problem };

const envelope = z.strictObject({
  id: z.string().min(1).max(100),
  name: z.enum(COMMAND_NAMES),
  data: z.unknown(),
  actor: z.string().min(1).max(200),
  reason: z.string().max(500).optional(),
  expectRevision: z.number().int().nonnegative().optional(),
  role: z.literal('operate').optional(),
});

/** Reads a command from JSON of unknown origin; a string says what is wrong with it. */
export function parseCommand(raw: unknown): Command | string {
  const outer = envelope.safeParse(raw);
  if (!outer.success) return describe(outer.error);
  const inner = COMMANDS[outer.data.name].data.safeParse(outer.data.data);
  if (!inner.success) return describe(inner.error);
  return { ...outer.data, data: inner.data } as Command;
}

function describe(error: z.ZodError): string {
  return error.issues
    .map(closest)
    .map(({ path, message }) => `${path.join('.') || 'command'}: ${message}`)
    .join('; ');
}

type Issue = Pick<z.core.$ZodIssue, 'path' | 'message'>;

/** Of a value that is none of several kinds, what is wrong with it as the kind that it comes nearest to: where the fault lies deepest. */
function closest(issue: z.core.$ZodIssue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const kinds = issue.errors.flatMap(([first]) => (first === undefined ? [] : [closest(first)]));
  const [nearest] = kinds.toSorted((one, other) => other.path.length - one.path.length);
  if (nearest === undefined) return issue;
  return { path: [...issue.path, ...nearest.path], message: nearest.message };
}
