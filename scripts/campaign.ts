import type { IVectorStore } from 'backstage-plugin-ask-ai-node';
import { runRandomCalls } from 'backstage-plugin-ask-ai-node/testUtils';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { openEmbeddedConnection } from '../plugins/ask-ai-backend/src/database/embeddedConnection';
import { InMemoryVectorStore } from '../plugins/ask-ai-backend/src/services/InMemoryVectorStore';
import { PgVectorStore } from '../plugins/ask-ai-backend/src/services/PgVectorStore';
import { createDatabase, dropDatabases, prepareDatabases } from '../tests/services/databases';
import { openTestServer } from '../tests/services/testServer';

const logger = { debug: () => {}, info: () => {}, warn: () => {} };

/** Of the vectors; small, so that the inputs and not the index take the time. */
const DIMENSIONS = 8;

/** On the way. */
const REPORTS = 10;

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
  .addHelpText('after', '\nExample:\n  npm run campaign -- --cases 10000 --seed 7')
  .action(async ({ cases, seed, store }) => {
    const names = store === undefined ? Object.keys(STORES) : [store];
    for (const name of names) {
      await runCampaign(name, { cases, seed });
    }
  });

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
