// npm test: installs what is missing and runs the tests. Arguments are passed on to vitest, such as
// `npm test -- --project unit`, which needs no server.
import { ensureInstalled } from './lib/ensureInstalled.mjs';
import { runNode } from './lib/runNode.mjs';
import { fail } from './lib/say.mjs';

try {
  await ensureInstalled();
  process.exitCode = await runNode([
    'node_modules/vitest/vitest.mjs',
    'run',
    ...process.argv.slice(2),
  ]);
} catch (error) {
  fail(error.message);
}
