import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from './child.mjs';
import { provideServers } from './servers.mjs';
import { BIN, exitWith, ROOT, setUp } from './setup.mjs';

/**
 * `npm test`: everything that proves the project, real NATS and Redis included. Arguments go to vitest, so
 * `npm test -- libs/domain` runs a part. The last line is the sum, `N passed, N failed`.
 */
await exitWith(async () => {
  const node = await setUp();
  const searchPath = await provideServers();
  const scratch = mkdtempSync(path.join(tmpdir(), 'usher-test-'));
  const report = path.join(scratch, 'report.json');
  try {
    const vitest = path.join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const code = await run(node, [vitest, 'run', ...reporters, ...process.argv.slice(2)], {
      cwd: ROOT,
      env: {
        // Hundreds of gateways start in the tests, each with threads that load the same modules; as in `bin/usher`.
        NODE_COMPILE_CACHE: path.join(ROOT, 'node_modules', '.cache', 'usher'),
        ...process.env,
        PATH: [BIN, path.dirname(node), searchPath].join(path.delimiter),
      },
    });
    const { passed, failed } = count(report, code);
    console.log(`${passed} passed, ${failed} failed`);
    return code;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});

/** A file that failed before its first test, and a run that failed outside of every test, count as one failure each. */
function count(report, code) {
  let passed = 0;
  let failed = 0;
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
    passed = numPassedTests;
    const broken = testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    );
    failed = numFailedTests + broken.length;
  } catch (error) {
    console.error(`usher: vitest left no report: ${error.message}`);
  }
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed };
}
