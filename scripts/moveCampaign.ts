// npm run campaign:move: moves many rows between two databases of the test server, first undisturbed, then
// killed three times, and compares what PostgreSQL holds on both sides.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import {
  fillSource,
  isEqual,
  type MoveFigures,
  moveKilled,
  moveOnce,
} from '../plugins/ask-ai-backend/src/testing/moveCampaign';
import { createDatabase, dropDatabases, prepareDatabases } from '../tests/services/databases';
import { openTestServer } from '../tests/services/testServer';

const command = new Command('campaign:move')
  .option('--rows <number>', 'embeddings', positiveInteger, 100_000)
  .option('--dimensions <number>', 'of the vectors', positiveInteger, 384)
  .action(run);

command.parseAsync().catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});

async function run({ rows, dimensions }: { rows: number; dimensions: number }): Promise<void> {
  const server = await openTestServer();
  const databases = await prepareDatabases(server.url);
  const workDirectory = mkdtempSync(join(tmpdir(), 'ask-ai-move-'));
  try {
    const [source, first, second] = await Promise.all(
      ['source', 'first', 'second'].map(name => createDatabase(databases, { name })),
    );
    if (!source || !first || !second) {
      throw new Error('No databases');
    }
    await fillSource(source.url, rows, dimensions);
    const move = { from: source.url, to: first.url, workDirectory };
    say(`${rows} rows of ${dimensions} numbers are there`);
    say(`moved: ${told(await moveOnce(move))}; equal: ${await isEqual(move)}`);
    const other = { ...move, to: second.url };
    const { killedWhile, ...figures } = await moveKilled(other);
    say(
      `killed while ${killedWhile.join(', ')}, then moved and verified: ${told(figures)}; equal: ${await isEqual(other)}`,
    );
  } finally {
    rmSync(workDirectory, { recursive: true, force: true });
    await dropDatabases(databases);
    await server.close();
  }
}

function told({ seconds, megabytes, cpuSeconds }: MoveFigures): string {
  const cpu = cpuSeconds
    ? `, of the processors ${cpuSeconds.process.toFixed(1)} s and the server's ${cpuSeconds.server.toFixed(1)} s`
    : '';
  return `${seconds.toFixed(1)} s${cpu}, at most ${megabytes?.toFixed(0) ?? 'unknown'} MB`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function positiveInteger(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) {
    throw new InvalidArgumentError('Expected a positive integer.');
  }
  return number;
}
