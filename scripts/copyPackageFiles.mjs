// Run by npm pack in the folder of a package: what lies at the root of the repository and belongs into
// the package is copied there, and removed again afterwards.
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/root.mjs';

/** npm packs a licence without being told; of the others, what `files` of the package names. */
const SHARED = ['LICENSE', 'CHANGELOG.md', 'drizzle'];

const { files } = JSON.parse(readFileSync('package.json', 'utf8'));
const named = ['LICENSE', ...files.map(path => path.split('/')[0])];
for (const name of SHARED.filter(name => named.includes(name))) {
  rmSync(name, { recursive: true, force: true });
  if (process.argv[2] !== '--remove') {
    cpSync(join(root, name), name, { recursive: true });
  }
}
