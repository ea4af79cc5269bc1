// npm run api-reports: writes what each package exports to its report.api.md, which `npm run check`
// compares with the code.
import { ensureInstalled } from './lib/ensureInstalled.mjs';
import { runNode } from './lib/runNode.mjs';
import { fail, say } from './lib/say.mjs';

try {
  await ensureInstalled();
  const exitCode = await runNode(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']);
  if (exitCode === 0) {
    // What it imports may have been missing when this began.
    const { describeApis } = await import('./lib/apiReports.mjs');
    const changed = describeApis({ write: true });
    say(changed.length > 0 ? `Written: ${changed.join(', ')}` : 'Nothing has changed');
  } else {
    fail('The API is described from what tsc builds, and that failed');
  }
} catch (error) {
  fail(error.message);
}
