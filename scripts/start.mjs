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
    {
      NODE_ENV: process.env.NODE_ENV ?? 'development',
      // Node 22 and newer keep compiled code there, so that they start faster the next time.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '.data/compile-cache',
    },
  );
} catch (error) {
  fail(error.message);
}
