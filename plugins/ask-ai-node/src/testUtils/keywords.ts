import assert from 'node:assert/strict';
import type { IVectorStore } from '../vectorStore';
import { idsOf, sample, samples } from './samples';
import type { Suite } from './suite';

/** Ids of the chunks that the words of a text find, best first. */
async function findWords(store: IVectorStore, text: string, topK = 10): Promise<string[]> {
  return idsOf(await store.searchRanked({ mode: 'keyword', text, topK }));
}

const IDENTIFIERS: Record<string, string> = {
  dotted: 'Set backend.auth.externalAccess to a list of tokens.',
  constant: 'Node fails with ERR_MODULE_NOT_FOUND then.',
  package: 'Install @scope/pkg-name first.',
  path: 'It lies in /etc/myapp/settings.yaml on the host.',
  camel: 'Call getUserProfile before anything else.',
};

export function describeKeywords({ describe, test }: Suite): void {
  describe('searching by words', () => {
    test('a word that no chunk holds never empties the result', async store => {
      await store.storeBatch([
        sample('a', { content: 'How to roll back a release' }),
        sample('b', { content: 'Something else' }),
      ]);
      assert.deepEqual(await findWords(store, 'xylophone release quux'), ['a']);
      assert.deepEqual(await findWords(store, 'xylophone quux'), []);
    });

    test('a question without words finds nothing', async store => {
      await store.storeBatch(samples(3));
      for (const text of ['', ' \n\t', '?!', '&|!()', "''", '🚀']) {
        assert.deepEqual(await findWords(store, text), [], text);
      }
    });

    test('a question of everyday words alone is no error', async store => {
      await store.storeBatch([sample('a', { content: 'rollback' })]);
      for (const text of ['the', 'what is it', 'The of AND to']) {
        assert.deepEqual(await findWords(store, text), []);
      }
    });

    test('everyday words do not count', async store => {
      await store.storeBatch([
        sample('words', { content: 'What is it that you do, and how is it that you do it?' }),
        sample('topic', { content: 'A rollback restores the release before.' }),
      ]);
      assert.equal((await findWords(store, 'What is it that a rollback does?'))[0], 'topic');
    });

    test('an identifier is found as a whole', async store => {
      const chunks = Object.entries(IDENTIFIERS).map(([id, content]) => sample(id, { content }));
      // Chunks that hold the words apart from each other.
      const decoys = [
        sample('decoy-1', { content: 'The backend has auth. External services have access.' }),
        sample('decoy-2', { content: 'The module was not found: err on the safe side.' }),
        sample('decoy-3', { content: 'The scope of a pkg, and its name; get the user a profile.' }),
      ];
      await store.storeBatch([...decoys, ...chunks]);
      await store.refreshStatistics();
      const questions = {
        'backend.auth.externalAccess': 'dotted',
        'what does backend.auth.externalAccess do?': 'dotted',
        ERR_MODULE_NOT_FOUND: 'constant',
        err_module_not_found: 'constant',
        '@scope/pkg-name': 'package',
        '/etc/myapp/settings.yaml': 'path',
        getUserProfile: 'camel',
        getuserprofile: 'camel',
      };
      for (const [question, expected] of Object.entries(questions)) {
        assert.equal((await findWords(store, question))[0], expected, question);
      }
    });

    test('an identifier is found by its parts', async store => {
      const chunks = Object.entries(IDENTIFIERS).map(([id, content]) => sample(id, { content }));
      await store.storeBatch(chunks);
      const questions = {
        externalAccess: 'dotted',
        'external access': 'dotted',
        'module found': 'constant',
        'myapp yaml': 'path',
        'user profile': 'camel',
      };
      for (const [question, expected] of Object.entries(questions)) {
        assert.deepEqual(await findWords(store, question), [expected], question);
      }
    });

    test('a word is found in its other forms and in any case', async store => {
      await store.storeBatch([
        sample('a', { content: 'Migrations are applied when the plugin starts.' }),
        sample('b', { content: 'Something else' }),
      ]);
      for (const text of ['migration', 'MIGRATIONS', 'migrating', 'plugins', 'apply']) {
        assert.deepEqual(await findWords(store, text), ['a'], text);
      }
    });

    test('a word is found in the title, where it counts for more', async store => {
      const content = 'It goes back to the version before, step by step';
      await store.storeBatch([
        sample('content', { content: `${content}, a rollback` }),
        sample('neither', { content }),
        sample('title', { content: `${content}, quickly`, title: 'Operations › Rollback' }),
      ]);
      assert.deepEqual(await findWords(store, 'rollback'), ['title', 'content']);
    });

    test('a rarer word counts for more', async store => {
      await store.storeBatch([
        ...samples(30, index => ({ content: `The plugin has a page number ${index}` })),
        sample('rare', { content: 'The quota has a page, and many other words beside it' }),
      ]);
      await store.refreshStatistics();
      assert.equal((await findWords(store, 'quota plugin'))[0], 'rare');
    });

    test('words follow what is written and removed', async store => {
      await store.storeBatch([
        sample('a', { content: 'alpha' }),
        sample('b', { content: 'alpha', entityId: 'api:default/b' }),
      ]);
      assert.deepEqual(await findWords(store, 'alpha'), ['a', 'b']);
      await store.store(sample('a', { content: 'beta', title: 'gamma' }));
      assert.deepEqual(await findWords(store, 'alpha'), ['b']);
      assert.deepEqual(await findWords(store, 'beta gamma'), ['a']);
      await store.clear('api:default/b');
      assert.deepEqual(await findWords(store, 'alpha'), []);
      await store.clear();
      assert.deepEqual(await findWords(store, 'beta'), []);
    });

    test('a long question is searched for', async store => {
      await store.storeBatch([sample('a', { content: 'rollback' }), sample('b')]);
      const words = Array.from({ length: 1_000 }, (_, index) => `word${index}`);
      assert.deepEqual(await findWords(store, `${words.join(' ')} rollback`), ['a']);
    });
  });
}
