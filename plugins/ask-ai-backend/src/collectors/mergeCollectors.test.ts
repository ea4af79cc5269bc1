import { describe, expect, it } from 'vitest';
import { FakeCollector } from '../testing/FakeCollector';
import { mergeCollectors } from './mergeCollectors';

async function collect(collector: { collect: FakeCollector['collect'] } | undefined) {
  const found: string[] = [];
  let failure: unknown;
  try {
    for await (const document of collector?.collect({}) ?? []) {
      const { sections } = await document.load({});
      found.push(`${document.entityId}: ${sections[0]?.text}`);
    }
  } catch (error) {
    failure = error;
  }
  return { found, failure };
}

describe('mergeCollectors', () => {
  it('gives one collector a source, in which the first finder of a document counts', async () => {
    const merged = mergeCollectors([
      new FakeCollector('catalog', { a: ['own'] }),
      new FakeCollector('techdocs', { a: ['docs'] }),
      new FakeCollector('catalog', { a: ['other'], b: ['new'] }),
    ]);
    expect(merged.map(({ source }) => source)).toEqual(['catalog', 'techdocs']);
    expect(await collect(merged[0])).toEqual({ found: ['a: own', 'b: new'], failure: undefined });
  });

  it('reads the others when one fails, and then fails, so that nothing is taken for gone', async () => {
    const broken = new FakeCollector('catalog', { a: ['own'] });
    broken.breakDown('It is down.');
    const [merged] = mergeCollectors([broken, new FakeCollector('catalog', { b: ['new'] })]);
    expect(await collect(merged)).toEqual({
      found: ['a: own', 'b: new'],
      failure: expect.objectContaining({ name: 'CollectorError' }),
    });
  });
});
