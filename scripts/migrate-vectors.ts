// Moves what is stored from any store to any other: `ask-ai move`, under the name that the plan has.
// See docs/MIGRATION_GUIDE.md, "Move what is stored".
import { runCommandLine } from '../plugins/ask-ai-backend/src/cli/runCommandLine';
import { createTerminal } from '../plugins/ask-ai-backend/src/cli/terminal';

runCommandLine(['move', ...process.argv.slice(2)], {
  variables: process.env,
  directory: process.cwd(),
  terminal: createTerminal(process.stdout, process.stderr, process.env),
  signals: process,
  openStore: () => Promise.reject(new Error('This command opens its stores itself.')),
}).then(exitCode => {
  process.exitCode = exitCode;
});
