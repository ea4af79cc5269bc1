import { writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { createDatabase, dropDatabases, prepareDatabases } from '../tests/services/databases';
import { openTestServer } from '../tests/services/testServer';
import type { Suite } from './suite';
import { memory } from './suites/memory';
import { search } from './suites/search';
import { upsert } from './suites/upsert';
import { formatTable } from './table';

const SUITES: Suite[] = [search, upsert, memory];

const print = (text: string) => process.stdout.write(`${text}\n`);
const logger = { debug: () => {}, info: () => {}, warn: print };

async function main(): Promise<void> {
  const program = new Command('npm run bench --')
    .description('Measures the product against the raw floor, in one process on the same data.')
    .argument('<suite>', SUITES.map(({ name, what }) => `${name}: ${what}`).join('; '))
    .option('--rows <n>', 'rows of the data set', positiveInteger)
    .option('--dimensions <d>', 'numbers in a vector', positiveInteger, 384)
    .option('--json <file>', 'write the measurements to a file, too')
    .addHelpText('after', '\nThe server is found as in npm test (ASK_AI_TEST_DATABASE_URL).')
    .parse();
  const suite =
    SUITES.find(({ name }) => name === program.args[0]) ??
    program.error(`Unknown suite; there are ${SUITES.map(({ name }) => name).join(', ')}`);
  const options = program.opts<{ rows?: number; dimensions: number; json?: string }>();
  const { dimensions, rows = suite.rows } = options;
  const measurements = await onDatabase(url => suite.run({ url, rows, dimensions, logger }));
  print(formatTable(`${suite.name}: ${rows} rows, ${dimensions} dimensions`, measurements));
  if (options.json) {
    const report = { suite: suite.name, rows, dimensions, node: process.version, measurements };
    await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
}

async function onDatabase<T>(work: (url: string) => Promise<T>): Promise<T> {
  const server = await openTestServer();
  try {
    const databases = await prepareDatabases(server.url);
    try {
      const database = await createDatabase(databases);
      return await work(database.url);
    } finally {
      await dropDatabases(databases);
    }
  } finally {
    await server.close();
  }
}

function positiveInteger(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) {
    throw new InvalidArgumentError('Expected a whole number of at least 1.');
  }
  return number;
}

main().catch(error => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});
