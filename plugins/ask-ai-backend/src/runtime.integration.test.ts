import { ConfigReader } from '@backstage/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { query } from '../../../tests/services/connect';
import { pollUntil } from '../../../tests/services/poll';
import { createTestDatabase, type TestDatabase } from '../../../tests/services/testDatabase';
import { createRuntime } from './runtime';
import { ConfigService } from './services/ConfigService';
import { silentLogger } from './testing/testRuntime';

const APPLICATION = `runtime-${process.pid}`;

describe('createRuntime', { timeout: 60_000 }, () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase({ name: 'runtime' });
  });

  afterAll(() => database.drop());

  const sessions = async () => {
    const [row] = await query<{ count: number }>(
      database.url,
      `select count(*)::int as count from pg_stat_activity where application_name = '${APPLICATION}'`,
    );
    return row?.count;
  };

  it.each([
    { embedding: { provider: 'acme' }, embeddingModel: 'acme' },
    { llm: { provider: 'acme' }, defaultModel: 'acme' },
  ])('leaves no connection behind when %j can not be made', async models => {
    const askAi = {
      ...models,
      vectorStore: {
        type: 'postgresql',
        postgresql: { connectionString: database.url, applicationName: APPLICATION },
      },
    };
    const ids = { embeddingProviders: ['acme'], languageModels: ['acme'] };
    let opened: number | undefined;
    const fail = async () => {
      opened = await sessions();
      throw new Error('no such licence');
    };
    const runtime = createRuntime({
      config: ConfigService.fromConfig(new ConfigReader({ askAi }), ids),
      logger: silentLogger(),
      collectors: [],
      extensions: {
        embeddingProviders: new Map([['acme', { id: 'acme', create: fail }]]),
        languageModels: new Map([['acme', { id: 'acme', create: fail }]]),
        vectorStores: new Map(),
        collectors: [],
      },
    });
    await expect(runtime).rejects.toThrow('no such licence');
    expect(opened).toBeGreaterThan(0);
    await pollUntil('the end of every session', 10_000, async () =>
      (await sessions()) === 0 ? true : undefined,
    );
  });
});
