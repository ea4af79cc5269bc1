import { createBackend } from '@backstage/backend-defaults';
import {
  coreServices,
  createBackendPlugin,
  createServiceFactory,
} from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import PromiseRouter from 'express-promise-router';
import { DEFAULT_DIMENSIONS } from '../database/schema';
import { CachedVectorStore } from '../services/CachedVectorStore';
import { ConfigService } from '../services/ConfigService';
import { VectorStoreFactory } from '../services/VectorStoreFactory';
import { writeDocument } from './cachedDocument';

/** All texts have this vector. */
const VECTOR = Float32Array.from({ length: DEFAULT_DIMENSIONS }, () => 1);

/**
 * A Backstage backend for tests that share a cache, with the store as the plugin has it and without
 * anything around that: one document, whose versions are written and searched over HTTP. Takes its
 * configuration as JSON.
 */
const plugin = createBackendPlugin({
  // Whose part of the cache it is.
  pluginId: 'ask-ai',
  register(env) {
    env.registerInit({
      deps: {
        cache: coreServices.cache,
        config: coreServices.rootConfig,
        httpRouter: coreServices.httpRouter,
        logger: coreServices.logger,
      },
      async init({ cache, config, httpRouter, logger }) {
        const service = ConfigService.fromConfig(config);
        const { store } = await VectorStoreFactory.serve(service, logger, { cache });
        if (!(store instanceof CachedVectorStore)) {
          throw new Error('The store is not cached.');
        }
        const router = PromiseRouter();
        router.post('/versions/:version', async ({ params }, response) => {
          await writeDocument(store, params.version, VECTOR);
          response.json({});
        });
        router.get('/search/:topK', async ({ params }, response) => {
          const [hit] = await store.search(VECTOR, Number(params.topK));
          response.json({ seen: Number(hit?.documentChunk.content ?? 0) });
        });
        router.get('/figures', (_, response) => {
          response.json(store.figures);
        });
        httpRouter.use(router);
        httpRouter.addAuthPolicy({ path: '/', allow: 'unauthenticated' });
      },
    });
  },
});

const backend = createBackend();
backend.add(plugin);
backend.add(
  createServiceFactory({
    service: coreServices.rootConfig,
    deps: {},
    factory: () => new ConfigReader(JSON.parse(process.argv[2] ?? '{}')),
  }),
);
backend.start().catch((error: Error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
