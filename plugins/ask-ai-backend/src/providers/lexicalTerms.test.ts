import { describe, expect, it } from 'vitest';
import { findTokens, normaliseText, stem, termsOf } from './lexicalTerms';

describe('findTokens', () => {
  it('keeps identifiers together and leaves punctuation out', () => {
    const text = 'Set `backend.auth.externalAccess`, (see ERR_MODULE_NOT_FOUND)! 🚀 x';
    expect(findTokens(text).map(({ raw }) => raw)).toEqual([
      'Set',
      'backend.auth.externalAccess',
      'see',
      'ERR_MODULE_NOT_FOUND',
      '🚀',
      'x',
    ]);
  });

  it('tells where a token begins', () => {
    expect(findTokens('a  bc').map(({ index }) => index)).toEqual([0, 3]);
  });
});

describe('termsOf', () => {
  it.each([
    ['externalAccess', ['external', 'access'], 'externalaccess'],
    ['parseHTTPRequest', ['pars', 'http', 'request'], 'parsehttprequest'],
    ['ERR_MODULE_NOT_FOUND', ['err', 'modul', 'not', 'found'], 'err_module_not_found'],
    ['aws.com/lambda-function', ['aws', 'com', 'lambda', 'function'], 'aws.com/lambda-function'],
    ['rolled', ['roll'], undefined],
    ['v20', ['v20'], undefined],
    ['迁移库', ['迁移', '移库'], undefined],
    ['库', ['库'], undefined],
  ])('splits %s', (raw, words, identifier) => {
    expect(termsOf(raw)).toEqual(identifier === undefined ? { words } : { words, identifier });
  });
});

describe('stem', () => {
  it.each([
    ['roll', 'rolls', 'rolled', 'rolling'],
    ['query', 'queries'],
    ['run', 'runs', 'running'],
    ['process', 'processes', 'processed', 'processing'],
    ['migrate', 'migrates', 'migrated', 'migrating'],
    ['need', 'needs', 'needed'],
    ['class', 'classes'],
  ])('gives the forms of %s one stem', (...forms) => {
    expect(new Set(forms.map(stem)).size).toBe(1);
  });

  it.each(['this', 'ids', 'ring', 'bed', 'status', 'v1alpha1', 'Straße'])(
    'leaves %s alone',
    word => {
      expect(stem(word)).toBe(word);
    },
  );
});

describe('normaliseText', () => {
  it('removes accents and keeps scripts that need their marks', () => {
    expect(normaliseText('Ｚürich が हिन्दी 한국')).toBe('Zurich が हिन्दी 한국');
  });
});
