import { afterEach, describe, expect, it } from 'vitest';
import type { QuestionStore } from '../types';

/** Tests a question store against the contract of `QuestionStore`. */
export function describeQuestionStore(
  name: string,
  setup: { create(): Promise<QuestionStore>; cleanup?(): Promise<void> },
): void {
  describe(`${name} keeps the contract of a question store`, { timeout: 60_000 }, () => {
    afterEach(async () => {
      await setup.cleanup?.();
    });

    it('counts what was asked, unanswered and rated', async () => {
      const questions = await setup.create();
      expect(await questions.unanswered(10)).toEqual({
        questions: [],
        counts: { asked: 0, unanswered: 0, helpful: 0, unhelpful: 0 },
      });
      await questions.record({ id: 'a', model: 'm', found: true, text: 'Answered?' });
      await questions.record({ id: 'b', model: 'm', found: false });
      await questions.record({ id: 'c', model: 'm', found: true });
      expect(await questions.rate('a', { rating: 'helpful' })).toBe(true);
      expect(await questions.rate('c', { rating: 'helpful' })).toBe(true);
      expect(await questions.rate('c', { rating: 'unhelpful', comment: 'Wrong.' })).toBe(true);
      expect(await questions.rate('nobody', { rating: 'helpful' })).toBe(false);
      expect(await questions.unanswered(10)).toEqual({
        questions: [],
        counts: { asked: 3, unanswered: 1, helpful: 1, unhelpful: 1 },
      });
    });

    it('tells the most frequent unanswered questions, equal ones together', async () => {
      const questions = await setup.create();
      const texts = [
        'Who owns it?',
        'Where is the ledger?',
        'where is  the LEDGER',
        'x'.repeat(30_000),
      ];
      for (const [index, text] of texts.entries()) {
        await questions.record({ id: String(index), model: 'm', found: false, text });
      }
      const told = (await questions.unanswered(2)).questions;
      expect(told).toHaveLength(2);
      expect(told[0]).toEqual({
        question: 'where is  the LEDGER',
        count: 2,
        lastAskedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      });
      expect((await questions.unanswered(10)).questions).toHaveLength(3);
    });

    it('forgets what was asked before', async () => {
      const questions = await setup.create();
      await questions.record({ id: 'a', model: 'm', found: false, text: 'Why?' });
      await questions.forget(new Date(Date.now() - 60_000));
      expect((await questions.unanswered(10)).counts.asked).toBe(1);
      await questions.forget(new Date(Date.now() + 60_000));
      expect((await questions.unanswered(10)).counts.asked).toBe(0);
    });
  });
}
