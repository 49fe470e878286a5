import { parseArgs } from 'node:util';
import { UsageError } from '../usage-error.ts';
import { costs } from './cost.ts';
import { gatewayMemory, redisMemory, storeMemory } from './memory.ts';
import { realMinute } from './minute.ts';

const ADDRESSES = 10_000_000;

/** What a rate limit costs a request, what addresses can make Usher use, and with `--minute` how exact four gateways are. */
export async function run(args: readonly string[]): Promise<void> {
  const { addresses, minute } = readArgs(args);
  if (minute) {
    await realMinute();
    return;
  }
  for (const [what, ns] of costs()) console.log(`${what.padEnd(42)} ${ns.toFixed(0).padStart(6)} ns`);
  gatewayMemory(addresses);
  await storeMemory(addresses);
  await redisMemory();
}

function readArgs(args: readonly string[]): { readonly addresses: number; readonly minute: boolean } {
  try {
    const options = { addresses: { type: 'string' }, minute: { type: 'boolean' } } as const;
    const { values } = parseArgs({ args: [...args], options });
    return { addresses: Number(values.addresses ?? ADDRESSES), minute: values.minute === true };
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}
