import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withoutThoughts } from './thoughts';

async function read(pieces: Iterable<string>): Promise<string> {
  let text = '';
  for await (const piece of withoutThoughts(inPieces(pieces))) text += piece;
  return text;
}

async function* inPieces(pieces: Iterable<string>) {
  yield* pieces;
}

describe('withoutThoughts', () => {
  it.each([
    ['<think>Boats?</think>Ten years [1].', 'Ten years [1].'],
    ['\n<think>\n\n</think>\n\nTen years.\n', 'Ten years.\n'],
    ['<think>a</think> <think>b < c </thin></think>Ten.', 'Ten.'],
    ['<think>Ten years, so', ''],
    ['<think>Ten years</thin', ''],
    ['<thin', '<thin'],
    ['< think>', '< think>'],
    ['Ten <think>years</think>.', 'Ten <think>years</think>.'],
    ['', ''],
  ])('makes of %j %j, however it comes', async (reply, expected) => {
    expect(await read([reply])).toBe(expected);
    expect(await read(reply)).toBe(expected);
    await fc.assert(
      fc.asyncProperty(fc.nat(reply.length), fc.nat(reply.length), async (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const cut = [reply.slice(0, from), reply.slice(from, to), reply.slice(to)];
        expect(await read(cut)).toBe(expected);
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  it('gives text as it comes', async () => {
    const reply = withoutThoughts(inPieces(['<think>a</think>', 'Ten', ' years']));
    expect((await reply.next()).value).toBe('Ten');
    expect((await reply.next()).value).toBe(' years');
  });
});
