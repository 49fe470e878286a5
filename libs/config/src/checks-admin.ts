import { join, type Reading } from './reading.ts';
import type { Address, AdminSettings } from './settings.ts';
import { formatAddress, isLoopback } from './types/network.ts';
import { weaknessOf } from './weak-secrets.ts';

/** Finds what lets somebody into the admin API who should not be. */
export function checkAdmin(admin: AdminSettings, reading: Reading): void {
  for (const token of admin.tokens) {
    if (token.role === 'agent' && token.backend === undefined)
      reading.complain(token, '', 'a token with the role agent needs `backend`, the one that it speaks for');
    if (token.role !== 'agent' && token.backend !== undefined)
      reading.complain(
        token,
        'backend',
        `only a token with the role agent is about one backend; this is ${token.role}`,
      );
  }
  if (!isLoopback(admin.host)) checkReachable(admin, reading);
}

/** Why those who may call are not enough for a server that listens there, whatever address the settings have; undefined when they are. */
export function exposure(
  { tokens, jwt }: Pick<AdminSettings, 'tokens' | 'jwt'>,
  listener: Address,
): string | undefined {
  if (isLoopback(listener.host)) return undefined;
  const reached = `${formatAddress(listener)} can be reached from other machines`;
  if (tokens.length === 0 && jwt === undefined) return `${reached}, and there are no tokens`;
  for (const { name, secret } of tokens) {
    const weakness = weaknessOf(secret);
    if (weakness !== undefined) return `${reached}, and the token ${name} is ${weakness}`;
  }
  return undefined;
}

/** Whoever can connect to the address, which is that of the admin API or of another that it guards, can guess. */
export function checkReachable(admin: AdminSettings, reading: Reading, listener: Address = admin): void {
  const isFaulty = (key: string) => reading.isFaulty(join(reading.pathOf(admin), key));
  for (const token of admin.tokens) {
    const weakness = weaknessOf(token.secret);
    if (weakness !== undefined)
      reading.complain(
        token,
        'secret',
        `${weakness}, and ${formatAddress(listener)} can be reached from other machines`,
      );
  }
  if (admin.tokens.length > 0 || admin.jwt !== undefined || isFaulty('tokens') || isFaulty('jwt')) return;
  reading.complain(
    listener,
    'address',
    `${formatAddress(listener)} can be reached from other machines, but there are no tokens, so anyone could take over; add tokens or use 127.0.0.1`,
  );
}
