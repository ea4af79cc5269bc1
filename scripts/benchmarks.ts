import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { benchmarkFiles, RESULTS, root } from './benchmarks/files';

const program = new Command('npm run benchmarks --')
  .description(
    'Makes docs/BENCHMARKS.md, its pictures and the figures of the README from what npm run bench measured.',
  )
  .argument('[folder]', 'where the files of npm run bench -- SUITE --json FILE lie', RESULTS)
  .parse();

try {
  for (const [path, text] of Object.entries(benchmarkFiles(resolve(program.processedArgs[0])))) {
    writeFileSync(join(root, path), text);
    process.stdout.write(`${path}\n`);
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
