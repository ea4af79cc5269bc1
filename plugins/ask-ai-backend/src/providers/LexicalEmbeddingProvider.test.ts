import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LexicalEmbeddingProvider } from './LexicalEmbeddingProvider';

const provider = LexicalEmbeddingProvider.create();

async function vectorsOf(...texts: string[]): Promise<Float32Array[]> {
  return (await provider.embed(texts, { purpose: 'document' })).vectors;
}

async function similarity(left: string, right: string): Promise<number> {
  const [a = [], b = []] = await vectorsOf(left, right);
  return [...a].reduce((sum, number, index) => sum + number * (b[index] ?? 0), 0);
}

const PASSAGES = {
  rollback:
    'Operations › Rolling back\n\nEvery migration has a down file. To undo the latest one, run `npm run db:rollback`. It refuses when rows would be lost.',
  pool: 'Operations › Connections\n\nThe pool opens at most ten connections. Idle ones are closed after thirty seconds, see `maxConnections` and `idleTimeoutMillis`.',
  auth: 'Security › Service tokens\n\nOther systems sign in with a static token. Add it to `backend.auth.externalAccess` in app-config.yaml.',
  search:
    'Usage › Searching\n\nResults are ranked by cosine similarity of embeddings and by the words that they share with the question.',
};

async function bestFor(question: string): Promise<{ name: string; lead: number }> {
  const ranked = await Promise.all(
    Object.entries(PASSAGES).map(async ([name, text]) => ({
      name,
      score: await similarity(question, text),
    })),
  );
  ranked.sort((a, b) => b.score - a.score);
  const [first, second] = ranked;
  return { name: first?.name ?? '', lead: (first?.score ?? 0) - (second?.score ?? 0) };
}

describe('LexicalEmbeddingProvider', () => {
  it.each([
    ['How do I roll back a migration?', 'rollback'],
    ['undo migrations', 'rollback'],
    ['How many connections does the pool open?', 'pool'],
    ['idleTimeoutMillis', 'pool'],
    ['external access with a token', 'auth'],
    ['backend.auth.externalAccess', 'auth'],
    ['How are search results ranked?', 'search'],
    ['simillarity of embedings', 'search'],
  ])('finds the passage for "%s" with a clear lead', async (question, expected) => {
    const { name, lead } = await bestFor(question);
    expect(name).toBe(expected);
    expect(lead).toBeGreaterThan(0.1);
  });

  it('counts a heading more than a text', async () => {
    const question = 'database backups';
    const inHeading = 'Database backups\n\nThey run every night and are kept for a month.';
    const inText = 'Nightly jobs\n\nThey make database backups and are kept for a month.';
    expect(await similarity(question, inHeading)).toBeGreaterThan(
      (await similarity(question, inText)) + 0.1,
    );
  });

  it('takes accented, full-width and plain letters for the same', async () => {
    expect(await similarity('Zürich café', 'zurich ｃａｆｅ')).toBeCloseTo(1, 5);
  });

  it('finds words in scripts without spaces, and emoji', async () => {
    expect(await similarity('数据库迁移', '如何回滚数据库迁移？')).toBeGreaterThan(0.5);
    expect(await similarity('数据库迁移', '如何配置身份验证')).toBeLessThan(0.2);
    expect(await similarity('🚀', 'deploy 🚀')).toBeGreaterThan(0.2);
  });

  it('does not let a blob of data drown the words beside it', async () => {
    const blob = 'QUJDREVG'.repeat(2_000);
    expect(
      await similarity('rotate the signing key', `The signing key is ${blob}`),
    ).toBeGreaterThan(0.4);
  });

  it('gives the same vectors on every machine and every version', async () => {
    const vectors = await vectorsOf(
      ...Object.values(PASSAGES),
      '数据库 naïve 👩‍💻',
      '',
      '=== $ ===',
    );
    const bytes = Buffer.concat(
      vectors.map(vector => {
        const buffer = Buffer.alloc(vector.length * 4);
        for (const [index, number] of vector.entries()) buffer.writeFloatLE(number, index * 4);
        return buffer;
      }),
    );
    // Another hash means another embedding space: then `model` must get another number, too.
    expect(provider.model).toBe('hashed-terms-1');
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(
      'ea9ed93dc7eacda65061a1b207f22e69f83dacbf99a5af7178cf3470f4446f98',
    );
  });

  it('does not depend on what was embedded before', async () => {
    const fresh = LexicalEmbeddingProvider.create();
    const [alone] = (await fresh.embed([PASSAGES.pool], { purpose: 'document' })).vectors;
    const [, after] = await vectorsOf(PASSAGES.auth, PASSAGES.pool);
    expect(after).toEqual(alone);
  });

  it('gives every text a unit vector (500 random texts, empty and symbols among them)', async () => {
    const texts = fc.sample(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.string({ unit: 'binary-ascii', maxLength: 200 }),
        fc.constantFrom('', ' \n\t', '?!', '===>', '\0', '\ud800', 'a', '\n\n\n'),
      ),
      { numRuns: 500, seed: 20 },
    );
    const { vectors } = await provider.embed(texts, { purpose: 'document' });
    expect(vectors).toHaveLength(500);
    for (const vector of vectors) {
      expect(vector).toHaveLength(384);
      expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    }
  });

  it('has as many dimensions as it is told', async () => {
    const wide = LexicalEmbeddingProvider.create({ dimensions: 1024 });
    await expect(wide.dimensions()).resolves.toBe(1024);
    const { vectors } = await wide.embed(['text'], { purpose: 'query' });
    expect(vectors[0]).toHaveLength(1024);
  });

  it('lets others have their turn between two calls', async () => {
    let turns = 0;
    const timer = setImmediate(function count() {
      turns += 1;
      setImmediate(count);
    });
    for (let call = 0; call < 5; call++) await provider.embed(['text'], { purpose: 'document' });
    clearImmediate(timer);
    expect(turns).toBeGreaterThanOrEqual(4);
  });

  it('embeds nothing when the signal has aborted', async () => {
    const signal = AbortSignal.abort(new Error('shut down'));
    await expect(provider.embed(['text'], { purpose: 'query', signal })).rejects.toThrow(
      'shut down',
    );
  });
});
