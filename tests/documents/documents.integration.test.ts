import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { openStore } from '../../bench/stores';
import { removeAll, urlFor } from '../deployment/initDb';
import { query } from '../services/connect';
import { createTestDatabase, testServerUrl } from '../services/testDatabase';
import { blocksOf, readDocuments } from './documents';
import { typeErrors } from './snippets';

const documents = readDocuments();
const suffix = randomBytes(4).toString('hex');
const [role, database] = [`ask_ai_test_${suffix}_role`, `ask_ai_test_${suffix}_documents`];

/** What \connect divides is run in two databases. */
const CONNECT = /^\\connect .*$/m;

const silent = { debug: () => {}, info: () => {}, warn: () => {} };

const blocks = blocksOf(documents, 'sql');
const isSetUp = (text: string) => CONNECT.test(text);

describe('a block of SQL', () => {
  afterAll(() => removeAll([database], [role]));

  it.each(blocks.filter(([, { text }]) => isSetUp(text)))(
    '%s makes a database in which the role can work',
    async (_, { text }) => {
      const own = text.replaceAll('backstage_vectors', database).replaceAll('backstage', role);
      const [before = '', after = ''] = own.split(CONNECT);
      // CREATE DATABASE refuses to run with others in one message.
      await query(testServerUrl(), ...before.split(';').filter(statement => statement.trim()));
      await query(urlFor(database), after);
      const url = urlFor(database, role, 'choose one');
      const store = await openStore(url, { dimensions: 3, logger: silent });
      try {
        expect(await store.count()).toBe(0);
      } finally {
        await store.close();
      }
    },
  );

  it.each(blocks.filter(([, { text }]) => !isSetUp(text)))(
    '%s runs on the tables',
    async (_, { text }) => {
      const { url, drop } = await createTestDatabase({ name: 'documents' });
      try {
        const store = await openStore(url, { dimensions: 3, logger: silent });
        await store.close();
        await query(url, text);
      } finally {
        await drop();
      }
    },
  );
});

describe('a block of TypeScript', () => {
  const snippets = blocksOf(documents, 'ts').map(([, block]) => block);

  it('compiles with what the text around it gives', { timeout: 120_000 }, () => {
    expect(snippets.length).toBeGreaterThan(3);
    expect(typeErrors(snippets)).toEqual([]);
  });

  it('would be found if it did not', { timeout: 120_000 }, () => {
    const text = "import { NoSuchThing } from 'backstage-plugin-ask-ai-common';\n";
    const block = { document: 'docs/a.md', line: 1, language: 'ts', text };
    expect(typeErrors([block])).toEqual([expect.stringContaining('NoSuchThing')]);
  });
});
