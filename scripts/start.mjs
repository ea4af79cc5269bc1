// npm start: installs what is missing and runs the development backend. Arguments are passed on.
import { ensureInstalled } from './lib/ensureInstalled.mjs';
import { runNode } from './lib/runNode.mjs';
import { fail, say } from './lib/say.mjs';

/** Loading thousands of modules makes much short-lived garbage: more room for it saves a third of a second. */
const FAST_START = ['--max-semi-space-size=64'];

try {
  await ensureInstalled();
  say('Starting the ask-ai development backend (stop it with Ctrl-C)');
  process.exitCode = await runNode(
    [
      ...FAST_START,
      '--import',
      'tsx',
      'plugins/ask-ai-backend/dev/index.ts',
      ...process.argv.slice(2),
    ],
    // Guest sign-in, for local use only, exists in development alone.
    { NODE_ENV: process.env.NODE_ENV ?? 'development' },
  );
} catch (error) {
  fail(error.message);
}
