import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentWords, queryTerms, stem, tokenise } from './text';

describe('tokenise', () => {
  it('gives the words in lower case, in order and as often as they are there', () => {
    expect(tokenise('The store, the Store: a database!')).toEqual([
      'the',
      'stor',
      'the',
      'stor',
      'a',
      'databas',
    ]);
  });

  it.each([
    ['backend.auth.externalAccess', ['backend', 'auth', 'externalaccess', 'extern', 'access']],
    ['ERR_MODULE_NOT_FOUND', ['err', 'modul', 'not', 'found']],
    ['scope/pkg-name', ['scop', 'pkg', 'nam']],
    ['getHTTPStatus', ['get', 'http', 'status']],
    ['component:default/petstore', ['component', 'default', 'petstor']],
  ])('gives %s as a whole and by its parts', (identifier, parts) => {
    const terms = tokenise(`see ${identifier}, please`);
    expect(terms).toContain(identifier.toLowerCase());
    expect(terms).toEqual(expect.arrayContaining(parts));
  });

  it('leaves out the signs around a word, and what joins nothing', () => {
    expect(tokenise('(foo) "bar". -baz- @qux/ ... ## 42%')).toEqual([
      'foo',
      'bar',
      'baz',
      'qux',
      '42',
    ]);
  });

  it('takes words of every script', () => {
    expect(tokenise('Größe naïve Ελλάδα 日本語 हिन्दी')).toEqual([
      'größe',
      'naïve',
      'ελλάδα',
      '日本語',
      'हिन्दी',
    ]);
  });

  it('takes forms that look the same as one', () => {
    expect(tokenise('cafe\u0301 ﬁle')).toEqual(tokenise('café file'));
    expect(tokenise("the owner's don’t")).toEqual(tokenise('the owners dont'));
  });

  it('leaves out encoded data', () => {
    expect(tokenise(`a ${'x'.repeat(300)} b`)).toEqual(['a', 'b']);
  });

  it('gives the same terms however often it is asked, for any text (500 cases)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), text => {
        const terms = tokenise(text);
        expect(tokenise(text)).toEqual(terms);
        expect(terms.every(term => term.length > 0 && !/\s/.test(term))).toBe(true);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it('takes time in proportion to the length, also for adversarial texts', () => {
    for (const piece of ['a', 'a.', 'aB', '._-', "a'", 'é/']) {
      const start = performance.now();
      tokenise(piece.repeat(200_000));
      expect(performance.now() - start, piece).toBeLessThan(5_000);
    }
  });
});

describe('queryTerms', () => {
  it('leaves out everyday words and repetitions', () => {
    expect(queryTerms('How do I roll back the migration of a migration?')).toEqual([
      'roll',
      'back',
      'migr',
    ]);
  });

  it('takes everyday words when there is nothing else', () => {
    expect(queryTerms('What is it?')).toEqual(['what', 'is', 'it']);
    expect(queryTerms('?!')).toEqual([]);
  });
});

describe('contentWords', () => {
  it('never gives an everyday word', () => {
    expect(contentWords('What is it?')).toEqual([]);
    expect(contentWords('What is the Quota? A quota.')).toEqual(['quota', 'quota']);
  });
});

describe('stem', () => {
  it.each([
    ['migrate', 'migrates', 'migrated', 'migrating', 'migration', 'migrations'],
    ['configure', 'configures', 'configured', 'configuring', 'configuration'],
    ['install', 'installs', 'installed', 'installing', 'installation'],
    ['policy', 'policies'],
    ['apply', 'applies', 'applied'],
    ['run', 'runs', 'running'],
    ['stop', 'stops', 'stopped', 'stopping'],
    ['delete', 'deleted', 'deleting', 'deletion', 'deletes'],
    ['deploy', 'deploys', 'deployed', 'deployment', 'deployments'],
    ['class', 'classes'],
    ['connect', 'connected', 'connection', 'connections'],
    ['authenticate', 'authentication', 'authenticated', 'authenticating'],
  ])('brings the forms of "%s" together', (...forms) => {
    expect(new Set(forms.map(stem)).size).toBe(1);
  });

  it.each([
    ['policy', 'police'],
    ['status', 'state'],
    ['string', 'strong'],
    ['access', 'account'],
    ['process', 'product'],
  ])('keeps "%s" and "%s" apart', (a, b) => {
    expect(stem(a)).not.toBe(stem(b));
  });

  it('leaves alone what is short or no English word', () => {
    for (const word of ['aws', 'css', 'k8s', 'err_x', 'größes', 'oauth2']) {
      expect(stem(word)).toBe(word);
    }
  });
});
