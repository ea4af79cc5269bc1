import { coreServices, createBackendPlugin } from '@backstage/backend-plugin-api';
import { catalogServiceRef } from '@backstage/plugin-catalog-node';
import { createCollectors } from './createCollectors';
import { backstageDatabaseOptions } from './database/backstageDatabase';
import { createRouter } from './router';
import { createRuntime } from './runtime';
import { scheduleIndex } from './schedule';
import { ConfigService } from './services/ConfigService';

/** Answers engineers' questions from the software catalog and TechDocs. */
export const askAiPlugin = createBackendPlugin({
  pluginId: 'ask-ai',
  register(env) {
    env.registerInit({
      deps: {
        auth: coreServices.auth,
        catalog: catalogServiceRef,
        database: coreServices.database,
        discovery: coreServices.discovery,
        httpAuth: coreServices.httpAuth,
        httpRouter: coreServices.httpRouter,
        lifecycle: coreServices.lifecycle,
        logger: coreServices.logger,
        reader: coreServices.urlReader,
        rootConfig: coreServices.rootConfig,
        scheduler: coreServices.scheduler,
      },
      async init(services) {
        const { auth, catalog, database, httpAuth, httpRouter, lifecycle, logger, scheduler } =
          services;
        const config = ConfigService.fromConfig(services.rootConfig);
        const runtime = await createRuntime({
          config,
          logger,
          catalog,
          auth,
          collectors: createCollectors(config, services),
          backstageDatabase: () => backstageDatabaseOptions(database),
        });
        const stopping = new AbortController();
        lifecycle.addShutdownHook(async () => {
          stopping.abort();
          await runtime.close();
        });
        httpRouter.use(createRouter({ runtime, httpAuth }));
        httpRouter.addAuthPolicy({ path: '/health', allow: 'unauthenticated' });
        lifecycle.addStartupHook(() =>
          scheduleIndex({
            runtime,
            config,
            scheduler,
            catalog,
            auth,
            logger,
            signal: stopping.signal,
          }),
        );
      },
    });
  },
});
