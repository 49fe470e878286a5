import { createHash } from 'node:crypto';
import { type CommandReceipt, canonicalJson, type FleetState, UsherError } from '@usher/domain';
import type { Command, EventDraft } from '@usher/events';

/** The receipt of the same command accepted before; throws UsherError `conflict` when its id belongs to another command. */
export function earlier(state: FleetState, command: Command): CommandReceipt | undefined {
  const receipt = state.receipts.get(command.id);
  if (receipt === undefined || receipt.fingerprint === fingerprintOf(command)) return receipt;
  throw new UsherError(
    'conflict',
    `the id ${command.id} belongs to another command, accepted at position ${receipt.position}`,
  );
}

/** What makes a command's acceptance durable, whether or not it changes anything. */
export function accepted(command: Command): EventDraft {
  const { id, name } = command;
  const data = { command: id, name, fingerprint: fingerprintOf(command) };
  return { type: 'command.accepted', subject: 'fleet', data };
}

/**
 * Who asks, why, and what revision they saw may differ between repetitions: whoever reads before each attempt sees what the first one
 * did. What is asked may not.
 */
function fingerprintOf({ name, data }: Command): string {
  return createHash('sha256').update(canonicalJson({ name, data })).digest('base64url').slice(0, 22);
}
