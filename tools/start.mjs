import path from 'node:path';
import { run } from './child.mjs';
import { exitWith, ROOT, setUp } from './setup.mjs';

/** `npm start`: installs what is missing, then runs everything in one process. Arguments go to `usher run`. */
await exitWith(async () => {
  await setUp();
  return run(path.join(ROOT, 'bin', 'usher'), ['run', ...process.argv.slice(2)]);
});
