import type { SharedSettings } from '@usher/domain';
import { z } from 'zod';
import { backendSettings, policyFields } from './data-schemas.ts';
import { poolSettings } from './pool-schema.ts';

/** A whole configuration, as a file declares it. */
export const sharedSettings: z.ZodType<SharedSettings> = z
  .strictObject({
    ...policyFields,
    pools: z.array(poolSettings),
    backends: z.array(backendSettings),
  })
  .meta({ title: 'SharedSettings' });
