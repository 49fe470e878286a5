import { defineConfig } from 'vitest/config';

// The suffix says what a test needs: `.test.ts` nothing, `.int.test.ts` real NATS and Redis servers,
// `.e2e.test.ts` whole processes. Only the first kind shares one module graph; the others are isolated.
const ends = (suffix: string) => [`**/*${suffix}`];
const elsewhere = ['**/node_modules/**', 'data/**'];
/** They are busy all the time and wait for nothing. */
const simulated = ['simulation/**'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ends('.test.ts'),
          exclude: [...elsewhere, ...simulated, ...ends('.int.test.ts'), ...ends('.e2e.test.ts')],
          isolate: false,
          // Most of their time they wait for threads and sockets.
          maxWorkers: 2,
          // Generous: a machine that others use too is slow now and then, and that is no fault of the code.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'simulation',
          include: simulated.map((folder) => `${folder}/*.test.ts`),
          exclude: elsewhere,
          maxWorkers: 2,
          testTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ends('.int.test.ts'),
          exclude: elsewhere,
          isolate: true,
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ends('.e2e.test.ts'),
          exclude: elsewhere,
          isolate: true,
          // Processes start, and then wait for each other.
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
