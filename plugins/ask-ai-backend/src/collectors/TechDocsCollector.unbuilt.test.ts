import type {
  UrlReaderService,
  UrlReaderServiceReadTreeOptions,
} from '@backstage/backend-plugin-api';
import { createMockDirectory, mockServices } from '@backstage/backend-test-utils';
import type { Entity } from '@backstage/catalog-model';
import { NotModifiedError } from '@backstage/errors';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  collectAll as all,
  documentedEntity as entityOf,
  TechDocsServer,
} from '../testing/techDocsServer';
import { TechDocsCollector } from './TechDocsCollector';

/** A repository at an address, unpacked by `unpack`. */
class Repository implements UrlReaderService {
  etag = 'one';
  readonly downloads: string[] = [];
  readonly filters: UrlReaderServiceReadTreeOptions['filter'][] = [];

  constructor(private readonly unpack: () => string) {}

  async readTree(_url: string, options?: UrlReaderServiceReadTreeOptions) {
    if (options?.etag === this.etag) {
      throw new NotModifiedError();
    }
    this.filters.push(options?.filter);
    return {
      etag: this.etag,
      files: async () => [],
      archive: async () => {
        throw new Error('not used');
      },
      dir: async () => {
        const folder = this.unpack();
        this.downloads.push(folder);
        return folder;
      },
    };
  }

  async readUrl(): Promise<never> {
    throw new Error('not used');
  }

  async search(): Promise<never> {
    throw new Error('not used');
  }
}

describe('TechDocsCollector, when a site was never built', () => {
  const folder = createMockDirectory();
  const repository = new Repository(() => {
    folder.setContent({ checkout: { docs: { 'index.md': '# Petstore\n\nFrom Markdown.' } } });
    return folder.resolve('checkout');
  });
  let server: TechDocsServer;
  let baseUrl: string;

  beforeEach(async () => {
    server = new TechDocsServer();
    baseUrl = await server.start();
    repository.etag = 'one';
    repository.downloads.length = 0;
  });

  afterEach(() => server.stop());

  function collectorOf(entities: Entity[]) {
    return TechDocsCollector.create({
      catalog: catalogServiceMock({ entities }),
      auth: mockServices.auth(),
      discovery: { getBaseUrl: async () => baseUrl, getExternalBaseUrl: async () => baseUrl },
      logger: mockServices.logger.mock(),
      reader: repository,
      config: mockServices.rootConfig(),
    });
  }

  const FROM_URL = { 'backstage.io/techdocs-ref': 'url:https://git.example.com/petstore' };

  it('reads the Markdown in the folder of the entity', async () => {
    folder.setContent({
      docs: { 'setup.md': '# Setup\n\n## Install\n\nRun it.' },
      'README.md': 'Hello.',
    });
    const location = `file:${folder.resolve('catalog-info.yaml')}`;
    const entity = entityOf('petstore', { 'backstage.io/managed-by-location': location });
    const [document] = await all(collectorOf([entity]).collect({}));
    expect(document?.fingerprint).toBeUndefined();
    expect((await document?.load({}))?.sections).toEqual([
      { headingPath: ['Home'], text: 'Hello.', location: '/docs/default/component/petstore/' },
      {
        headingPath: ['Setup', 'Install'],
        text: 'Run it.',
        location: '/docs/default/component/petstore/setup/#install',
      },
    ]);
    expect(Object.keys(folder.content() ?? {})).toEqual(['README.md', 'docs']);
  });

  it('downloads only documentation, and leaves nothing behind', async () => {
    const [document] = await all(collectorOf([entityOf('petstore', FROM_URL)]).collect({}));
    expect((await document?.load({}))?.sections).toMatchObject([{ text: 'From Markdown.' }]);
    expect(repository.filters.at(-1)?.('src/index.ts')).toBe(false);
    expect(repository.filters.at(-1)?.('docs/index.md')).toBe(true);
    expect(folder.content()).toEqual({});
  });

  it('downloads nothing again while the repository stays as it is', async () => {
    const collector = collectorOf([entityOf('petstore', FROM_URL)]);
    const [first] = await all(collector.collect({}));
    const content = await first?.load({});
    const [second] = await all(collector.collect({}));
    expect(second?.fingerprint).toBe(content?.fingerprint);
    repository.etag = 'two';
    const [third] = await all(collector.collect({}));
    expect(third?.fingerprint).toBeUndefined();
    expect(repository.downloads).toHaveLength(1);
    await third?.load({});
    expect(repository.downloads).toHaveLength(2);
  });

  it('rejects with the reason when there is nothing to read', async () => {
    folder.setContent({ 'package.json': '{}' });
    const location = `file:${folder.resolve('catalog-info.yaml')}`;
    const entity = entityOf('petstore', { 'backstage.io/managed-by-location': location });
    const [document] = await all(collectorOf([entity]).collect({}));
    await expect(document?.load({})).rejects.toThrow(
      /^The docs of component:default\/petstore were never built, and the Markdown behind backstage.io\/techdocs-ref can't be read: it has no Markdown/,
    );
  });
});
