import { describe, expect, it } from 'vitest';
import { checkedReply } from './reply';

/** What is shown of a reply on the way, and the whole of it. */
async function readReply(pieces: string[], sourceCount = 2) {
  const shown: string[] = [];
  const reply = checkedReply(
    (async function* () {
      yield* pieces;
    })(),
    sourceCount,
  );
  for (;;) {
    const { done, value } = await reply.next();
    if (done) {
      return { shown: shown.join(''), whole: value };
    }
    shown.push(value);
  }
}

describe('checkedReply', () => {
  it('shows what it returns', async () => {
    const { shown, whole } = await readReply(['\n', 'Every ', '15 minutes [', '1].', ' [9]', '\n']);
    expect(whole).toBe('Every 15 minutes [1].');
    expect(shown.trim()).toBe(whole);
  });

  it.each([
    [['NOT FOUND']],
    [['NOT', ' FOUND', '.']],
    [['**NOT FOUND**']],
    [['NOT FOUND: the sources tell nothing of it.']],
    [['Not found.']],
    [['NOT FOUND\n', 'Source [1] is about boats.']],
    [['NOT FOUND. Sources [1] and [2] are about boats.']],
    [['NOT FOUND (the sources are about boats)']],
    [['NOT FOUND because the sources are about boats [7]']],
    [['<think>Source [1] says', ' so.</think>\n\nNOT FOUND']],
    [['<think>Source [1] says so']],
    [[' \n']],
    [[]],
  ])('shows nothing of %j', async pieces => {
    expect(await readReply(pieces)).toEqual({ shown: '', whole: '' });
  });

  it.each([
    'Not found errors are retried [1].',
    'NOT FOUNDED in 1990 [1].',
    'The server answers 404 NOT FOUND to unknown names [1].',
    'No, tokens expire [2].',
    'N [1]',
    'NOT FOUND (404) is what the gateway answers for unknown routes [1].',
    '`NOT FOUND` means that the route is unknown [1].',
    'NOT FOUND, as in [1](https://example.com), is what [2] says.',
  ])('takes %j for an answer, however it comes', async text => {
    expect((await readReply([text])).whole).toBe(text);
    expect((await readReply([...text])).whole).toBe(text);
  });

  it('takes an excuse that ends with the words and cites nothing for not found', async () => {
    const { whole } = await readReply(['The sources are about boats. ', 'NOT FOUND']);
    expect(whole).toBe('');
  });

  it('shows nothing of the thoughts before an answer, however they come', async () => {
    const reply = '\n<think>NOT FOUND? No: [1].</think>\n\nTen years [1], not [9].';
    expect((await readReply([reply])).shown).toBe('Ten years [1], not.');
    expect((await readReply([...reply])).shown).toBe('Ten years [1], not.');
  });

  it('shows the words at once where there are no sources to cite', async () => {
    const { shown } = await readReply(['NOT FOUND: the status', ' 404.'], 0);
    expect(shown).toBe('NOT FOUND: the status 404.');
  });

  it('stops the model when it says that nothing was found', async () => {
    let isStopped = false;
    const endless = async function* () {
      try {
        yield 'NOT FOUND, ';
        for (;;) yield 'because ';
      } finally {
        isStopped = true;
      }
    };
    const { done, value } = await checkedReply(endless(), 1).next();
    expect({ done, value, isStopped }).toEqual({ done: true, value: '', isStopped: true });
  });
});
