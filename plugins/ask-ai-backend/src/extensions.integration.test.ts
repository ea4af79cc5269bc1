import { createBackendModule } from '@backstage/backend-plugin-api';
import type { AskResponse, IndexStatus, SearchResponse } from 'backstage-plugin-ask-ai-common';
import {
  askAiCollectorsExtensionPoint,
  askAiEmbeddingProvidersExtensionPoint,
  askAiLanguageModelsExtensionPoint,
  askAiVectorStoresExtensionPoint,
  type ChatRequest,
  type EmbeddingSettings,
  type LanguageModel,
  type LanguageModelSettings,
} from 'backstage-plugin-ask-ai-node';
import { afterEach, describe, expect, it } from 'vitest';
import { LexicalEmbeddingProvider } from './providers/LexicalEmbeddingProvider';
import { InMemoryVectorStore } from './services/InMemoryVectorStore';
import { type AskAiBackend, describedEntity, startAskAiBackend } from './testing/askAiBackend';
import { FakeCollector } from './testing/FakeCollector';

const ENTITIES = [describedEntity('ledger', 'The ledger books every payment twice.')];

describe('a module of another package', { timeout: 60_000 }, () => {
  let backend: AskAiBackend;

  afterEach(async () => {
    await backend?.stop();
  });

  const ask = async (prompt: string): Promise<AskResponse> =>
    (await backend.fetch('/', { body: { prompt } })).json() as Promise<AskResponse>;

  it('brings an embedding provider', async () => {
    let settings: EmbeddingSettings | undefined;
    const purposes = new Set<string>();
    const module = createBackendModule({
      pluginId: 'ask-ai',
      moduleId: 'acme-embeddings',
      register(env) {
        env.registerInit({
          deps: { providers: askAiEmbeddingProvidersExtensionPoint },
          async init({ providers }) {
            providers.addEmbeddingProvider({
              id: 'acme',
              create: given => {
                settings = given;
                const inner = LexicalEmbeddingProvider.create({ dimensions: 64 });
                return {
                  provider: 'acme',
                  model: 'acme-embed',
                  maxTextsPerCall: 8,
                  maxParallelCalls: 1,
                  dimensions: async () => 64,
                  check: async () => {},
                  embed: (texts, options) => {
                    purposes.add(options.purpose);
                    return inner.embed(texts, options);
                  },
                };
              },
            });
          },
        });
      },
    });
    backend = await startAskAiBackend({
      entities: ENTITIES,
      features: [module],
      askAi: {
        embeddingModel: 'acme-embed',
        embedding: { provider: 'acme', timeoutMs: 1_234 },
        vectorStore: { type: 'memory' },
      },
    });
    expect(settings).toMatchObject({ model: 'acme-embed', timeoutMs: 1_234 });
    const response = await backend.fetch('/search', { body: { query: 'payment', mode: 'vector' } });
    const { results } = (await response.json()) as SearchResponse;
    expect(results[0]?.documentChunk.entityId).toBe('component:default/ledger');
    expect([...purposes].sort()).toEqual(['document', 'query']);
  });

  it('brings a language model', async () => {
    let settings: LanguageModelSettings | undefined;
    const requests: ChatRequest[] = [];
    const model: LanguageModel = {
      provider: 'acme',
      contextTokens: 2_048,
      async *chat(request) {
        requests.push(request);
        yield 'Twice ';
        yield '[1].';
      },
      check: async () => {},
    };
    const module = createBackendModule({
      pluginId: 'ask-ai',
      moduleId: 'acme-chat',
      register(env) {
        env.registerInit({
          deps: { models: askAiLanguageModelsExtensionPoint },
          async init({ models }) {
            models.addLanguageModel({
              id: 'acme',
              create: given => {
                settings = given;
                return model;
              },
            });
          },
        });
      },
    });
    backend = await startAskAiBackend({
      entities: ENTITIES,
      features: [module],
      askAi: {
        defaultModel: 'acme-large',
        llm: { provider: 'acme', contextTokens: 2_048 },
        vectorStore: { type: 'memory' },
      },
    });
    expect(settings?.contextTokens).toBe(2_048);
    const answer = await ask('How often does the ledger book a payment?');
    expect(answer).toMatchObject({ answer: 'Twice [1].', model: 'acme-large', found: true });
    expect(requests[0]?.messages[1]?.content).toContain('The ledger books every payment twice.');
  });

  it('brings a vector store', async () => {
    let isClosed = false;
    const store = InMemoryVectorStore.create({ dimensions: 384 });
    const module = createBackendModule({
      pluginId: 'ask-ai',
      moduleId: 'acme-store',
      register(env) {
        env.registerInit({
          deps: { stores: askAiVectorStoresExtensionPoint },
          async init({ stores }) {
            stores.addVectorStore({
              id: 'acme',
              create: () => {
                const close = store.close.bind(store);
                return Object.assign(store, {
                  close: async () => {
                    isClosed = true;
                    await close();
                  },
                });
              },
            });
          },
        });
      },
    });
    backend = await startAskAiBackend({
      entities: ENTITIES,
      features: [module],
      askAi: { vectorStore: { type: 'acme' } },
    });
    expect(await store.count('component:default/ledger')).toBe(1);
    expect((await ask('What does the ledger book?')).found).toBe(true);
    await backend.stop();
    expect(isClosed).toBe(true);
  });

  it('brings a collector, whose documents stay beside those of the plugin', async () => {
    const collector = new FakeCollector('catalog', {
      'component:default/ledger': ['Never seen, because the catalog has this one.'],
      'resource:default/runbook': ['Restart the kiln by turning the valve.'],
    });
    const module = createBackendModule({
      pluginId: 'ask-ai',
      moduleId: 'acme-runbooks',
      register(env) {
        env.registerInit({
          deps: { collectors: askAiCollectorsExtensionPoint },
          async init({ collectors }) {
            collectors.addCollector(collector);
          },
        });
      },
    });
    backend = await startAskAiBackend({
      entities: ENTITIES,
      features: [module],
      askAi: { vectorStore: { type: 'memory' } },
    });
    const status = (await (await backend.fetch('/index/status')).json()) as IndexStatus;
    expect(status).toMatchObject({ entityCount: 2, lastRun: { outcome: 'completed' } });
    const answer = await ask('How is the kiln restarted?');
    expect(answer.sources[0]?.documentChunk.entityId).toBe('resource:default/runbook');
    expect(collector.loaded).toEqual(['resource:default/runbook']);
  });

  it('is told when nothing bears the configured id', async () => {
    await expect(startAskAiBackend({ askAi: { vectorStore: { type: 'acme' } } })).rejects.toThrow(
      'Expected askAi.vectorStore.type to be one of memory, embedded, postgresql, got "acme"',
    );
  });
});
