import type { DocumentChunk } from 'backstage-plugin-ask-ai-common';
import { describe, expect, it } from 'vitest';
import { type CatalogEntity, catalogQuestions, statesFact } from './catalogQuestions';

const ENTITIES: CatalogEntity[] = [
  {
    kind: 'Component',
    metadata: { name: 'login', title: 'Login', tags: ['java'] },
    spec: { type: 'service', lifecycle: 'production' },
    relations: [
      { type: 'ownedBy', targetRef: 'group:default/identity' },
      { type: 'dependsOn', targetRef: 'resource:default/auth-db' },
    ],
  },
  {
    kind: 'Group',
    metadata: { name: 'identity' },
    relations: [
      { type: 'ownerOf', targetRef: 'component:default/login' },
      { type: 'hasMember', targetRef: 'user:default/ann' },
    ],
  },
  {
    kind: 'Resource',
    metadata: { name: 'auth-db' },
    relations: [{ type: 'dependencyOf', targetRef: 'component:default/login' }],
  },
  { kind: 'User', metadata: { name: 'ann', tags: ['secret'] } },
];

const chunk = (entityId: string, content: string, source: 'catalog' | 'techdocs' = 'catalog') =>
  ({ entityId, content, metadata: { source } }) as DocumentChunk;

describe('catalogQuestions', () => {
  const questions = catalogQuestions(ENTITIES, { count: 100 });

  it('asks for each fact in both directions, and never about users', () => {
    expect(questions.map(({ style }) => style).sort()).toEqual([
      'dependency of',
      'depends on',
      'owner',
      'owns',
      'tagged',
      'tagged, of a kind',
      'tags of',
    ]);
    expect(JSON.stringify(questions)).not.toMatch(/ann|secret/);
    expect(questions.map(({ question }) => question).join()).not.toMatch(/[{}]/);
  });

  it('is the same for a seed, and as many as asked for', () => {
    const some = catalogQuestions(ENTITIES, { count: 4, seed: 7 });
    expect(some).toHaveLength(4);
    expect(catalogQuestions(ENTITIES, { count: 4, seed: 7 })).toEqual(some);
  });

  it('takes a hit of either side that names the other for right', () => {
    const question = questions.find(({ style }) => style === 'dependency of');
    const isRight = (hit: DocumentChunk) => question && statesFact(question, hit);
    expect(isRight(chunk('resource:default/auth-db', 'login depends on it'))).toBe(true);
    expect(isRight(chunk('component:default/login', 'login depends on auth-db'))).toBe(true);
    expect(isRight(chunk('component:default/login', 'login is a service'))).toBe(false);
    expect(isRight(chunk('group:default/identity', 'login and auth-db'))).toBe(false);
    expect(isRight(chunk('component:default/login', 'auth-db', 'techdocs'))).toBe(false);
  });

  it('takes a hit that names the tag for right', () => {
    const question = questions.find(({ style }) => style === 'tagged, of a kind');
    expect(question?.question).toMatch(/production services.* java/);
    expect(question && statesFact(question, chunk('component:default/login', 'Java'))).toBe(true);
    expect(question && statesFact(question, chunk('component:default/login', 'Go'))).toBe(false);
  });
});
