// npm start: installs what is missing and runs the development backend. Arguments are passed on.
import { ensureInstalled } from './lib/ensureInstalled.mjs';
import { runNode } from './lib/runNode.mjs';
import { fail, say } from './lib/say.mjs';

try {
  await ensureInstalled();
  say('Starting the ask-ai development backend (stop it with Ctrl-C)');
  process.exitCode = await runNode(
    ['--import', 'tsx', 'plugins/ask-ai-backend/dev/index.ts', ...process.argv.slice(2)],
    // Guest sign-in, for local use only, exists in development alone.
    { NODE_ENV: process.env.NODE_ENV ?? 'development' },
  );
} catch (error) {
  fail(error.message);
}
