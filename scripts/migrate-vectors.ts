// Moves what is stored from any store to any other: `ask-ai move`, under the name that the plan has.
// See docs/MIGRATION_GUIDE.md, "Data migration script".
import { runProcess } from '../plugins/ask-ai-backend/src/cli/runProcess';

runProcess(['move', ...process.argv.slice(2)], {
  variables: process.env,
  openStore: () => Promise.reject(new Error('This command opens its stores itself.')),
});
