import { mockServices } from '@backstage/backend-test-utils';
import type { Entity } from '@backstage/catalog-model';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CollectorError } from '../errors';
import {
  type Answer,
  collectAll as all,
  documentedEntity as entityOf,
  TechDocsServer,
} from '../testing/techDocsServer';
import { TechDocsCollector, type TechDocsCollectorOptions } from './TechDocsCollector';

describe('TechDocsCollector', () => {
  let server: TechDocsServer;
  let baseUrl: string;

  beforeEach(async () => {
    server = new TechDocsServer();
    baseUrl = await server.start();
  });

  afterEach(() => server.stop());

  function collectorOf(entities: Entity[], options: Partial<TechDocsCollectorOptions> = {}) {
    return TechDocsCollector.create({
      catalog: catalogServiceMock({ entities }),
      auth: mockServices.auth(),
      discovery: { getBaseUrl: async () => baseUrl, getExternalBaseUrl: async () => baseUrl },
      logger: mockServices.logger.mock(),
      reader: mockServices.urlReader.mock(),
      config: mockServices.rootConfig(),
      ...options,
    });
  }

  it('reads the published site of an entity', async () => {
    server.publish('default/component/petstore', { etag: 'abc', build_timestamp: 1 });
    const [document, ...others] = await all(collectorOf([entityOf('Petstore')]).collect({}));
    expect(others).toEqual([]);
    expect(document).toMatchObject({
      entityId: 'component:default/petstore',
      entityName: 'Petstore',
      source: 'techdocs',
      fingerprint: expect.any(String),
    });
    expect(await document?.load({})).toEqual({
      fingerprint: document?.fingerprint,
      sections: [
        {
          headingPath: ['Install'],
          text: 'Text.',
          location: '/docs/default/component/petstore/guide/#install',
        },
      ],
    });
  });

  it('asks with a token, and for the content only when it is loaded', async () => {
    server.publish('default/component/petstore', { etag: 'abc' });
    await all(collectorOf([entityOf('petstore')]).collect({}));
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/static/docs/default/component/petstore/techdocs_metadata.json',
    ]);
    expect(server.requests[0]?.headers.authorization).toMatch(/^Bearer mock-service-token/);
  });

  it('has another fingerprint for another build, etag or name', async () => {
    const fingerprintFor = async (metadata: object, entity = entityOf('petstore')) => {
      server.publish('default/component/petstore', metadata);
      return (await all(collectorOf([entity]).collect({})))[0]?.fingerprint;
    };
    const titled = entityOf('petstore');
    titled.metadata.title = 'Pet Store';
    const first = await fingerprintFor({ etag: 'a', build_timestamp: 1 });
    expect(await fingerprintFor({ etag: 'a', build_timestamp: 1 })).toBe(first);
    const others = [
      await fingerprintFor({ etag: 'b', build_timestamp: 1 }),
      await fingerprintFor({ etag: 'a', build_timestamp: 2 }),
      await fingerprintFor({ etag: 'a', build_timestamp: 1 }, titled),
    ];
    expect(new Set([first, ...others]).size).toBe(4);
  });

  it('tells by the content where the metadata says nothing', async () => {
    server.publish('default/component/petstore', { etag: '', site_name: 'x' });
    const [document] = await all(collectorOf([entityOf('petstore')]).collect({}));
    expect(document?.fingerprint).toBeUndefined();
    const before = await document?.load({});
    expect((await document?.load({}))?.fingerprint).toBe(before?.fingerprint);
    server.publish('default/component/petstore', { etag: '' }, 'Other text.');
    expect((await document?.load({}))?.fingerprint).not.toBe(before?.fingerprint);
  });

  it('keeps the case of the route when TechDocs does', async () => {
    const config = mockServices.rootConfig({
      data: { techdocs: { legacyUseCaseSensitiveTripletPaths: true } },
    });
    server.publish('default/Component/Petstore', { etag: 'abc' });
    const [document] = await all(collectorOf([entityOf('Petstore')], { config }).collect({}));
    const content = await document?.load({});
    expect(content?.sections[0]?.location).toMatch(/^\/docs\/default\/component\/petstore\//);
  });

  it('yields only entities with documentation of their own, in the order of the catalog', async () => {
    const entities = [
      entityOf('d'),
      entityOf('a', { 'backstage.io/techdocs-entity': 'component:default/b' }),
      entityOf('b', { 'backstage.io/techdocs-entity': 'component:default/b' }),
      { ...entityOf('c'), metadata: { name: 'c' } },
      entityOf('e', { 'ask-ai/index': 'false' }),
      { ...entityOf('f'), kind: 'User' },
    ];
    const documents = await all(collectorOf(entities).collect({}));
    expect(documents.map(({ entityId }) => entityId)).toEqual([
      'component:default/d',
      'component:default/b',
    ]);
  });

  it('collects one entity', async () => {
    const collector = collectorOf([entityOf('a'), entityOf('b')]);
    expect(await all(collector.collect({ entityRef: 'component:b' }))).toHaveLength(1);
    expect(await all(collector.collect({ entityRef: 'component:none' }))).toEqual([]);
  });

  it('keeps the order of many entities, and their number of requests small', async () => {
    const entities = Array.from({ length: 230 }, (_, index) => entityOf(`part-${index}`));
    const documents = await all(collectorOf(entities).collect({}));
    expect(documents.map(({ entityName }) => entityName)).toEqual(
      entities.map(({ metadata }) => metadata.name),
    );
    expect(server.requests).toHaveLength(230);
  });

  describe('when a site fails', () => {
    const FAILURES: [string, Answer, RegExp][] = [
      ['401', { status: 401 }, /TechDocs answered 401 for techdocs_metadata.json of default/],
      ['403', { status: 403 }, /answered 403/],
      ['500', { status: 500 }, /answered 500/],
      ['a closed socket', response => response.destroy(), /gave no readable techdocs_metadata/],
      ['no JSON', { body: '<html>' }, /gave no readable techdocs_metadata/],
      ['silence', () => {}, /did not answer for techdocs_metadata.json .* within 200 ms/],
    ];

    it.each(FAILURES)('%s fails the document alone', async (_, answer, message) => {
      server.publish('default/component/good', { etag: 'abc' });
      server.answers.set('/static/docs/default/component/bad/techdocs_metadata.json', answer);
      const collector = collectorOf([entityOf('bad'), entityOf('good')], { timeoutMs: 200 });
      const [bad, good] = await all(collector.collect({}));
      expect(bad?.fingerprint).toBeUndefined();
      const error: unknown = await bad?.load({}).catch(each => each);
      expect(error).toBeInstanceOf(CollectorError);
      expect(error).toMatchObject({ message: expect.stringMatching(message) });
      expect((await good?.load({}))?.sections).toHaveLength(1);
    });

    it.each([
      ['503', { status: 503 }, /answered 503 for search\/search_index.json/],
      ['no search index', { body: { pages: [] } }, /that is not one of MkDocs/],
    ] as [string, Answer, RegExp][])('%s for the content rejects', async (_, answer, message) => {
      server.publish('default/component/bad', { etag: 'abc' });
      server.answers.set('/static/docs/default/component/bad/search/search_index.json', answer);
      const [bad] = await all(collectorOf([entityOf('bad')]).collect({}));
      await expect(bad?.load({})).rejects.toThrow(message);
    });
  });

  it('fails as a whole when TechDocs is not there', async () => {
    await server.stop();
    const error: unknown = await all(collectorOf([entityOf('a')]).collect({})).catch(each => each);
    expect(error).toBeInstanceOf(CollectorError);
    expect(error).toMatchObject({
      message: expect.stringContaining(`TechDocs can't be reached at ${baseUrl}`),
      cause: expect.any(Error),
    });
  });

  it('fails as a whole when nothing is ever answered', async () => {
    const entities = Array.from({ length: 20 }, (_, index) => entityOf(`part-${index}`));
    for (const { metadata } of entities) {
      const site = `/static/docs/default/component/${metadata.name}`;
      server.answers.set(`${site}/techdocs_metadata.json`, () => {});
    }
    const collection = all(collectorOf(entities, { timeoutMs: 50 }).collect({}));
    await expect(collection).rejects.toThrow(/gave no answer 16 times in a row/);
  });

  it('fails as a whole when it gets no token or address', async () => {
    const discovery = {
      getBaseUrl: async () => {
        throw new Error('no such plugin');
      },
      getExternalBaseUrl: async () => '',
    };
    const collection = all(collectorOf([entityOf('a')], { discovery }).collect({}));
    await expect(collection).rejects.toThrow('No way to the TechDocs backend: no such plugin');
  });

  it('stops with the reason of the signal', async () => {
    server.answers.set('/static/docs/default/component/a/techdocs_metadata.json', () => {
      controller.abort(new Error('shutting down'));
    });
    const controller = new AbortController();
    const collection = all(collectorOf([entityOf('a')]).collect({ signal: controller.signal }));
    await expect(collection).rejects.toThrow('shutting down');
  });
});
