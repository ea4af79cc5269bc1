import { describe, expect, it } from 'vitest';
import type { Telemetry } from './lib/telemetry/Telemetry';
import { measuredAnswer } from './measuredAnswer';
import type { Answer, AnswerEvent } from './pipeline/answer';

const token: AnswerEvent = { event: 'token', data: { text: 'It is' } };

/** What is recorded of an answer that is read in some way. */
async function recorded(
  pieces: AsyncGenerator<AnswerEvent, Answer, undefined>,
  read: (answer: AsyncGenerator<AnswerEvent, Answer, undefined>) => Promise<unknown>,
  signal?: AbortSignal,
) {
  const records: unknown[] = [];
  const telemetry: Pick<Telemetry, 'record'> = {
    record: (name, seconds, attributes) => {
      expect(seconds).toBeGreaterThanOrEqual(0);
      records.push([name, attributes]);
    },
  };
  await read(measuredAnswer(telemetry as Telemetry, pieces, signal)).catch(() => {});
  return records;
}

async function* answering(end: () => Answer): AsyncGenerator<AnswerEvent, Answer, undefined> {
  yield token;
  return end();
}

const readAll = async (answer: AsyncGenerator<AnswerEvent, Answer, undefined>) => {
  for (;;) {
    const { done, value } = await answer.next();
    if (done) return value;
  }
};

const answer = (found: boolean) => () => ({ answer: '', sources: [], model: 'm', found });
const failure = () => {
  throw new Error('The model is away.');
};
const once = (outcome: string) => [['ask_ai.answer.duration', { outcome }]];

describe('a measured answer', () => {
  it('passes on the pieces and the answer as they are', async () => {
    await recorded(answering(answer(true)), async pieces => {
      expect(await pieces.next()).toEqual({ done: false, value: token });
      expect(await pieces.next()).toEqual({ done: true, value: answer(true)() });
    });
  });

  it('is recorded once, by how it ended', async () => {
    expect(await recorded(answering(answer(true)), readAll)).toEqual(once('answered'));
    expect(await recorded(answering(answer(false)), readAll)).toEqual(once('not_found'));
    expect(await recorded(answering(failure), readAll)).toEqual(once('failed'));
  });

  it('is cancelled when its reader leaves', async () => {
    const first = async (pieces: AsyncGenerator<AnswerEvent, Answer, undefined>) => {
      await pieces.next();
      await pieces.return(answer(false)());
    };
    expect(await recorded(answering(answer(true)), first)).toEqual(once('cancelled'));
    const gone = AbortSignal.abort();
    expect(await recorded(answering(failure), readAll, gone)).toEqual(once('cancelled'));
  });
});
