import type { Problem } from '@usher/domain';
import { STRATEGY_NAMES, WEIGHT_MAX } from '@usher/domain';
import { z } from 'zod';
import { backendSettings, endpoints, id, place } from './data-schemas.ts';

const target = z.strictObject({ backend: id });

/** Every command there is, with the data it takes. Its subject is `usher.commands.<name>`. */
export const COMMANDS = {
  'backend.add': z.strictObject({ settings: backendSettings }),
  /** What is absent stays as it is. */
  'backend.update': z.strictObject({
    backend: id,
    url: z.string().optional(),
    weight: z.number().nonnegative().max(WEIGHT_MAX).optional(),
    zone: z.string().optional(),
    /** All of them; an empty list leaves none but the URL. */
    endpoints: endpoints.optional(),
    /** Null = unknown. */
    place: place.nullable().optional(),
  }),
  'backend.remove': target,
  /** What an agent says of the backend beside it; a pool that takes agents gets it, or its new settings. */
  'backend.announce': z.strictObject({ settings: backendSettings }),
  /** Takes away a backend that an agent announced, and no other. */
  'backend.withdraw': target,
  'backend.drain': z.strictObject({ backend: id, deadlineMs: z.number().int().nonnegative().optional() }),
  'backend.enable': target,
  'backend.disable': target,
  'pool.set_strategy': z.strictObject({ pool: id, strategy: z.enum(STRATEGY_NAMES) }),
} as const;

export type CommandName = keyof typeof COMMANDS;
export type CommandData<N extends CommandName> = z.infer<(typeof COMMANDS)[N]>;

/** A wish to change the fleet. The same id again is the same command: it is answered alike and changes nothing. */
export interface CommandOf<N extends CommandName> {
  readonly id: string;
  readonly name: N;
  readonly data: CommandData<N>;
  readonly actor: string;
  readonly reason?: string | undefined;
  /** Revision of the named backend or pool that the sender saw; refused with `conflict` if it has changed since. */
  readonly expectRevision?: number | undefined;
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
  name: z.enum(Object.keys(COMMANDS) as [CommandName, ...CommandName[]]),
  data: z.unknown(),
  actor: z.string().min(1).max(200),
  reason: z.string().max(500).optional(),
  expectRevision: z.number().int().nonnegative().optional(),
});

/** Reads a command from JSON of unknown origin; a string says what is wrong with it. */
export function parseCommand(raw: unknown): Command | string {
  const outer = envelope.safeParse(raw);
  if (!outer.success) return describe(outer.error);
  const inner = COMMANDS[outer.data.name].safeParse(outer.data.data);
  if (!inner.success) return describe(inner.error);
  return { ...outer.data, data: inner.data } as Command;
}

function describe(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'command'}: ${issue.message}`).join('; ');
}
