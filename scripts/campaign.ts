import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IVectorStore } from 'backstage-plugin-ask-ai-node';
import { runRandomCalls } from 'backstage-plugin-ask-ai-node/testUtils';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { mulberry32 } from '../bench/vectors';
import { openEmbeddedConnection } from '../plugins/ask-ai-backend/src/database/embeddedConnection';
import { InMemoryVectorStore } from '../plugins/ask-ai-backend/src/services/InMemoryVectorStore';
import { PgVectorStore } from '../plugins/ask-ai-backend/src/services/PgVectorStore';
import { killIndexRuns } from '../plugins/ask-ai-backend/src/testing/killIndexRuns';
import { planKills } from '../plugins/ask-ai-backend/src/testing/killMoments';
import { createDatabase, dropDatabases, prepareDatabases } from '../tests/services/databases';
import { openTestServer } from '../tests/services/testServer';

const logger = { debug: () => {}, info: () => {}, warn: () => {} };

/** Of the vectors; small, so that the inputs and not the index take the time. */
const DIMENSIONS = 8;

/** On the way. */
const REPORTS = 10;

/** Then the process is left to its end, and the documents change. */
const KILLS_PER_GENERATION = 5;
/** Enough for a run to outlast that many kills. */
const KILLED_DOCUMENTS = 160;

interface OpenStore {
  store: IVectorStore;
  close(): Promise<void>;
}

interface CampaignOptions {
  cases: number;
  seed: number;
}

const STORES: Record<string, () => Promise<OpenStore>> = {
  memory: async () => {
    const store = InMemoryVectorStore.create({ dimensions: DIMENSIONS });
    return { store, close: () => store.close() };
  },
  embedded: async () => {
    const connection = await openEmbeddedConnection();
    const store = await PgVectorStore.create({ connection, logger, dimensions: DIMENSIONS });
    return { store, close: () => store.close() };
  },
  server: openServerStore,
};

const command = new Command('campaign')
  .description(
    'Gives each store seeded random inputs, good and bad, and checks that every call ends well or with a documented error and that no neighbour suffers.',
  )
  .option('--cases <number>', 'random calls a store', positiveInteger, 10_000)
  .option('--seed <number>', 'equal seeds give equal inputs', positiveInteger, 1)
  .addOption(
    new Option('--store <name>', 'only this one; the server is found as in npm test').choices(
      Object.keys(STORES),
    ),
  )
  .addOption(
    new Option(
      '--kills <number>',
      'instead: kill a process that indexes so many times, and compare with one that was left alone',
    ).argParser(positiveInteger),
  )
  .addHelpText(
    'after',
    '\nExamples:\n  npm run campaign -- --cases 10000 --seed 7\n  npm run campaign -- --kills 20 --seed 7\n  npm run campaign -- access --cases 2000\n  npm run campaign -- faults\n  npm run campaign -- cache',
  )
  .action(async ({ cases, seed, store, kills }) => {
    if (kills !== undefined) {
      await runKillCampaign(kills, seed);
      return;
    }
    const names = store === undefined ? Object.keys(STORES) : [store];
    for (const name of names) {
      await runCampaign(name, { cases, seed });
    }
  });

command
  .enablePositionalOptions()
  .command('access')
  .description(
    'Asks as 20 users with different rights through every door, and compares what each is shown with what the catalog shows them.',
  )
  .option('--cases <number>', 'random calls', positiveInteger, 2_000)
  .option('--seed <number>', 'equal seeds give equal calls', positiveInteger, 1)
  .action(runAccessMatrix);

command
  .command('faults')
  .description(
    'Terminates sessions in the middle of statements, crashes and freezes the server, and starts and ends backends meanwhile; checks that nothing acknowledged is lost.',
  )
  .option('--terminations <number>', 'sessions to terminate', positiveInteger, 1_000)
  .option('--restarts <number>', 'crashes of the server', positiveInteger, 20)
  .action(runFaults);

command
  .command('cache')
  .description(
    'Holds the cached store on a server and Redis to the whole contract of a store, and kills, freezes and cuts off Redis beside two backends.',
  )
  .action(runCache);

command.parseAsync().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error instanceof CommanderError ? error.exitCode : 1;
});

async function runCampaign(name: string, { cases, seed }: CampaignOptions): Promise<void> {
  const open = STORES[name];
  if (!open) {
    throw new TypeError(`There is no store ${name}.`);
  }
  const { store, close } = await open();
  const startedAt = performance.now();
  const seconds = () => `${Math.round((performance.now() - startedAt) / 1_000)} s`;
  const onCase = (done: number) => {
    if (done % Math.ceil(cases / REPORTS) === 0) {
      say(`${name}: ${done} of ${cases} cases, ${seconds()}`);
    }
  };
  try {
    const { refused } = await runRandomCalls(store, { cases, seed, onCase });
    const counts = Object.entries(refused).map(([error, count]) => `${count} ${error}`);
    say(
      `${name}: ${cases} random calls (seed ${seed}) in ${seconds()}: all ended well or with a documented error ` +
        `(${counts.join(', ') || 'none'}), and no chunk suffered`,
    );
  } catch (error) {
    say(`${name}: seed ${seed}: ${(error as Error).message}`);
    process.exitCode = 1;
  } finally {
    await close();
  }
}

async function runKillCampaign(kills: number, seed: number): Promise<void> {
  const server = await openTestServer();
  const databases = await prepareDatabases(server.url);
  try {
    const database = await createDatabase(databases, { name: 'killed' });
    const reference = await createDatabase(databases, { name: 'reference' });
    const report = await killIndexRuns({
      databases: { url: database.url, referenceUrl: reference.url },
      generations: planKills(kills, KILLS_PER_GENERATION),
      documents: KILLED_DOCUMENTS,
      random: mulberry32(seed),
      onKill: say,
    });
    const phases = Object.entries(report.unfinishedByPhase);
    say(
      `${report.kills} kills (seed ${seed}), ${report.unfinished} of them in the middle of a run ` +
        `(${phases.map(([phase, count]) => `${count} ${phase}`).join(', ')}): in the end every document was ` +
        `there once, as an undisturbed run makes it; none of ${report.looks} looks and ${report.searches} ` +
        'searches meanwhile saw a part of a document or an empty index',
    );
  } finally {
    await dropDatabases(databases);
    await server.close();
  }
}

/** The matrix needs a Backstage backend for tests, which runs only within the test runner. */
async function runAccessMatrix({ cases, seed }: CampaignOptions): Promise<void> {
  await runTests(['plugins/ask-ai-backend/src/accessMatrix.integration.test.ts'], {
    ASK_AI_MATRIX_QUERIES: String(cases),
    ASK_AI_MATRIX_SEED: String(seed),
  });
}

/** The tests of `npm test`, at length. */
async function runFaults({
  terminations,
  restarts,
}: {
  terminations: number;
  restarts: number;
}): Promise<void> {
  const tests = [
    'services/ResilientVectorStore',
    'plugin.outages.integration.test.ts',
    'plugin.shutdown.integration.test.ts',
  ];
  await runTests(
    tests.map(test => `plugins/ask-ai-backend/src/${test}`),
    {
      ASK_AI_FAULT_TERMINATIONS: String(terminations),
      ASK_AI_FAULT_RESTARTS: String(restarts),
    },
  );
}

async function runCache(): Promise<void> {
  await runTests(['plugins/ask-ai-backend/src/services/CachedVectorStore'], {
    ASK_AI_CACHE_CONTRACT_EVERY: '1',
  });
}

async function runTests(tests: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(process.execPath, ['scripts/test.mjs', ...tests], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  const [exitCode] = await once(child, 'exit');
  process.exitCode = exitCode ?? 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function openServerStore(): Promise<OpenStore> {
  const server = await openTestServer();
  try {
    const databases = await prepareDatabases(server.url);
    const database = await createDatabase(databases, { name: 'campaign' });
    const store = await PgVectorStore.create({
      postgresql: { connectionString: database.url },
      logger,
      dimensions: DIMENSIONS,
    });
    return {
      store,
      close: async () => {
        await store.close();
        await dropDatabases(databases);
        await server.close();
      },
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) {
    throw new InvalidArgumentError('It must be a whole number above 0.');
  }
  return Number(text);
}
