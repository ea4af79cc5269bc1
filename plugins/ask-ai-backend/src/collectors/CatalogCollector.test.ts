import { mockServices } from '@backstage/backend-test-utils';
import type { Entity } from '@backstage/catalog-model';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import type { CollectedDocument } from 'backstage-plugin-ask-ai-node';
import { describe, expect, it } from 'vitest';
import { CollectorError } from '../errors';
import { CatalogCollector, type CatalogCollectorOptions } from './CatalogCollector';
import { PAGE_SIZE } from './entities';

function entityOf(name: string, partial: Partial<Entity> = {}): Entity {
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    ...partial,
    metadata: { name, uid: name, ...partial.metadata },
  } as Entity;
}

function collectorOf(entities: Entity[], options: Partial<CatalogCollectorOptions> = {}) {
  return CatalogCollector.create({
    catalog: catalogServiceMock({ entities }),
    auth: mockServices.auth(),
    logger: mockServices.logger.mock(),
    ...options,
  });
}

async function all(documents: AsyncIterable<CollectedDocument>): Promise<CollectedDocument[]> {
  const collected: CollectedDocument[] = [];
  for await (const document of documents) {
    collected.push(document);
  }
  return collected;
}

async function idsOf(documents: AsyncIterable<CollectedDocument>): Promise<string[]> {
  return (await all(documents)).map(({ entityId }) => entityId);
}

describe('CatalogCollector', () => {
  it('yields every entity once, over many pages', async () => {
    const entities = Array.from({ length: 250 }, (_, index) => entityOf(`part-${index}`));
    const ids = await idsOf(collectorOf(entities).collect({}));
    expect(ids).toHaveLength(250);
    expect(new Set(ids).size).toBe(250);
  });

  it('names an entity in the normal form, and by what people call it', async () => {
    const entities = [
      entityOf('Petstore', { kind: 'API', metadata: { name: 'Petstore', namespace: 'Shop' } }),
      entityOf('a', { metadata: { name: 'a', title: 'A title' } }),
      entityOf('b', { kind: 'Group', spec: { profile: { displayName: 'Team B' } } }),
    ];
    const documents = await all(collectorOf(entities).collect({}));
    expect(documents).toMatchObject([
      { entityId: 'api:shop/petstore', entityName: 'Petstore', source: 'catalog' },
      { entityId: 'component:default/a', entityName: 'A title' },
      { entityId: 'group:default/b', entityName: 'Team B' },
    ]);
    const content = await documents[0]?.load({});
    expect(content?.sections[0]?.location).toBe('/catalog/shop/api/petstore');
    expect(content?.fingerprint).toBe(documents[0]?.fingerprint);
  });

  it('has a fingerprint of what the document says', async () => {
    const fingerprintOf = async (entity: Entity) =>
      (await all(collectorOf([entity]).collect({})))[0]?.fingerprint;
    const entity = entityOf('a');
    const touched = entityOf('a', { metadata: { name: 'a', etag: 'other', uid: 'other' } });
    const renamed = entityOf('a', { metadata: { name: 'a', title: 'New' } });
    expect(await fingerprintOf(touched)).toBe(await fingerprintOf(entity));
    expect(await fingerprintOf(renamed)).not.toBe(await fingerprintOf(entity));
  });

  it('leaves out users, locations and what opted out', async () => {
    const entities = [
      entityOf('a'),
      entityOf('b', { kind: 'User' }),
      entityOf('c', { kind: 'Location' }),
      entityOf('d', { metadata: { name: 'd', annotations: { 'ask-ai/index': 'false' } } }),
      entityOf('e', { metadata: { name: 'e', annotations: { 'ask-ai/index': 'true' } } }),
    ];
    expect(await idsOf(collectorOf(entities).collect({}))).toEqual([
      'component:default/a',
      'component:default/e',
    ]);
  });

  it.each<[string, Partial<CatalogCollectorOptions>, string[]]>([
    ['kinds in any case', { kinds: ['api', 'USER'] }, ['api:default/b', 'user:default/c']],
    [
      'kinds but those excluded',
      { kinds: ['API', 'User'], excludedKinds: ['user'] },
      ['api:default/b'],
    ],
    ['excluded kinds', { excludedKinds: ['component'] }, ['api:default/b', 'user:default/c']],
    ['a filter', { filter: { 'spec.type': 'service' } }, ['component:default/a', 'api:default/b']],
    [
      'a filter and kinds',
      { filter: { 'spec.type': 'service' }, kinds: ['API'] },
      ['api:default/b'],
    ],
    ['a filter of kinds and kinds', { filter: { kind: 'component' }, kinds: ['API'] }, []],
    [
      'alternatives of a filter',
      { filter: [{ 'metadata.name': 'a' }, { 'metadata.name': 'b' }], kinds: ['API', 'Group'] },
      ['api:default/b'],
    ],
  ])('keeps to %s', async (_, options, ids) => {
    const entities = [
      entityOf('a', { spec: { type: 'service' } }),
      entityOf('b', { kind: 'API', spec: { type: 'service' } }),
      entityOf('c', { kind: 'User' }),
    ];
    expect(await idsOf(collectorOf(entities, options).collect({}))).toEqual(ids);
  });

  it('collects one entity, by any form of its reference', async () => {
    const collector = collectorOf([entityOf('a'), entityOf('b'), entityOf('c', { kind: 'User' })]);
    expect(await idsOf(collector.collect({ entityRef: 'Component:B' }))).toEqual([
      'component:default/b',
    ]);
    expect(await idsOf(collector.collect({ entityRef: 'component:default/none' }))).toEqual([]);
    expect(await idsOf(collector.collect({ entityRef: 'user:default/c' }))).toEqual([]);
  });

  it('yields an entity that no sections can be made of as a document that fails alone', async () => {
    const broken = entityOf('b', { relations: [{ type: 'ownedBy', targetRef: ':::' }] });
    Object.assign(broken.metadata, { links: 17 });
    const documents = await all(collectorOf([entityOf('a'), broken, entityOf('c')]).collect({}));
    expect(documents.map(({ entityId }) => entityId)).toEqual([
      'component:default/a',
      'component:default/b',
      'component:default/c',
    ]);
    expect(documents[1]?.fingerprint).toBeUndefined();
    await expect(documents[1]?.load({})).rejects.toThrow(TypeError);
    await expect(documents[2]?.load({})).resolves.toMatchObject({ sections: [{}] });
  });

  it('fails when the catalog fails, also after the first page', async () => {
    const down = catalogServiceMock({
      entities: Array.from({ length: 150 }, (_, index) => entityOf(`part-${index}`)),
    });
    const { queryEntities } = down;
    down.queryEntities = async (request, options) => {
      if (request && 'cursor' in request) {
        throw new Error('503 Service Unavailable');
      }
      return queryEntities.call(down, request, options);
    };
    const collector = collectorOf([], { catalog: down });
    const error: unknown = await idsOf(collector.collect({})).catch(each => each);
    expect(error).toBeInstanceOf(CollectorError);
    expect(error).toMatchObject({
      message: 'The catalog could not be read: 503 Service Unavailable',
      cause: expect.any(Error),
    });
  });

  it('asks as the plugin itself, with a token for every page', async () => {
    const entities = Array.from({ length: 2 * PAGE_SIZE }, (_, index) => entityOf(`part-${index}`));
    const auth = mockServices.auth.mock({
      getOwnServiceCredentials: async () => mockServices.auth().getOwnServiceCredentials(),
    });
    await idsOf(collectorOf(entities, { auth }).collect({}));
    expect(auth.getOwnServiceCredentials).toHaveBeenCalledTimes(2);
  });

  it('stops with the reason of the signal', async () => {
    const reason = new Error('shutting down');
    const collection = collectorOf([entityOf('a')]).collect({ signal: AbortSignal.abort(reason) });
    await expect(idsOf(collection)).rejects.toBe(reason);
  });
});
