import type { PolicySettings } from '@usher/domain';

/** The part of the policy that is built into the app of a chain of plugins: where it changes, the app is built anew. */
export type ChainPolicy = ReturnType<typeof chainPolicyOf>;

export function chainPolicyOf({ timeouts, limits, trustedProxies }: PolicySettings) {
  const { connectMs, responseMs, responseIdleMs, backendIdleMs } = timeouts;
  const { headerBytes, requestBodyBytes } = limits;
  return {
    connectMs,
    responseMs,
    responseIdleMs,
    backendIdleMs,
    headerBytes,
    requestBodyBytes,
    trustedProxies,
  };
}
