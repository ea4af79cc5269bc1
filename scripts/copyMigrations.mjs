// Run by npm pack in plugins/ask-ai-backend: the migrations lie at the root of the repository, where
// drizzle-kit writes them, and must be in the package. `npm pack` leaves no copy behind.
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../drizzle', import.meta.url));
const copy = fileURLToPath(new URL('../plugins/ask-ai-backend/drizzle', import.meta.url));

rmSync(copy, { recursive: true, force: true });
if (process.argv[2] !== '--remove') {
  cpSync(source, copy, { recursive: true });
}
