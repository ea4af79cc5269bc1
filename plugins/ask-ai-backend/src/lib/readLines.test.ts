import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLines } from './readLines';

async function linesOf(parts: Iterable<Uint8Array>): Promise<string[]> {
  const stream = (async function* () {
    yield* parts;
  })();
  const lines: string[] = [];
  for await (const line of readLines(stream)) {
    lines.push(line.toString('utf8'));
  }
  return lines;
}

describe('readLines', () => {
  it('gives the same lines wherever the stream is cut (200 cases)', async () => {
    const line = fc.string({ unit: 'grapheme' }).map(text => text.replaceAll('\n', ' '));
    const cuts = fc.array(fc.nat(400), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(fc.array(line), cuts, fc.boolean(), async (lines, at, isEnded) => {
        const bytes = Buffer.from(lines.join('\n') + (isEnded ? '\n' : ''));
        const places = [0, ...at.sort((a, b) => a - b), bytes.length];
        const parts = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        expect(await linesOf(parts)).toEqual(lines.filter(text => text !== ''));
      }),
      { seed: 20, numRuns: 200 },
    );
  });

  it('ends at a line that is none, instead of taking all memory', async () => {
    const endless = (function* () {
      for (;;) {
        yield Buffer.alloc(1024 * 1024, 'x');
      }
    })();
    await expect(linesOf(endless)).rejects.toThrow('this is not a file of JSON lines');
  });
});
