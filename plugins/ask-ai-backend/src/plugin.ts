import { coreServices, createBackendPlugin } from '@backstage/backend-plugin-api';
import {
  actionsRegistryServiceRef,
  metricsServiceRef,
  tracingServiceRef,
} from '@backstage/backend-plugin-api/alpha';
import { catalogServiceRef } from '@backstage/plugin-catalog-node';
import { askAiPermissions } from 'backstage-plugin-ask-ai-common';
import type { RequestHandler } from 'express';
import { AskAiService } from './AskAiService';
import { registerActions, reportUndecidedVisibility } from './actions';
import { createCollectors } from './createCollectors';
import { backstageDatabaseOptions } from './database/backstageDatabase';
import { type Extensions, registerExtensionPoints } from './extensions';
import { Telemetry } from './lib/telemetry/Telemetry';
import { createRouter } from './router';
import { OpenRequests } from './router/OpenRequests';
import { createRuntime } from './runtime';
import { scheduleIndex } from './schedule';
import { ConfigService } from './services/ConfigService';
import { RateLimiter } from './services/RateLimiter';
import { shutDown } from './shutDown';

/** Answers engineers' questions from the software catalog and TechDocs. */
export const askAiPlugin = createBackendPlugin({
  pluginId: 'ask-ai',
  register(env) {
    const extensions = registerExtensionPoints(env);
    env.registerInit({
      deps: {
        actionsRegistry: actionsRegistryServiceRef,
        auditor: coreServices.auditor,
        auth: coreServices.auth,
        cache: coreServices.cache,
        catalog: catalogServiceRef,
        database: coreServices.database,
        discovery: coreServices.discovery,
        httpAuth: coreServices.httpAuth,
        httpRouter: coreServices.httpRouter,
        lifecycle: coreServices.lifecycle,
        logger: coreServices.logger,
        metrics: metricsServiceRef,
        permissions: coreServices.permissions,
        permissionsRegistry: coreServices.permissionsRegistry,
        reader: coreServices.urlReader,
        rootConfig: coreServices.rootConfig,
        scheduler: coreServices.scheduler,
        tracing: tracingServiceRef,
      },
      async init(services) {
        const { auditor, auth, catalog, database, httpAuth, httpRouter, lifecycle } = services;
        const { logger, permissions, permissionsRegistry, scheduler } = services;
        const config = ConfigService.fromConfig(services.rootConfig, namesOf(extensions));
        const runtime = await createRuntime({
          config,
          logger,
          collectors: createCollectors(config, services, extensions.collectors),
          extensions,
          telemetry: Telemetry.create(services),
          backstageDatabase: () => backstageDatabaseOptions(database),
          cache: services.cache,
        });
        const stopping = new AbortController();
        const requests = new OpenRequests();
        lifecycle.addShutdownHook(async () => {
          stopping.abort();
          await shutDown({
            runtime,
            requests,
            timeoutMillis: config.getShutdownTimeoutMillis(),
            logger,
          });
        });
        permissionsRegistry.addPermissions(askAiPermissions);
        const service = AskAiService.create({
          runtime,
          permissions,
          catalog,
          auditor,
          limiter: RateLimiter.create(config.getRateLimitConfig()),
          logger,
          audit: config.getAuditConfig(),
          questions: config.getQuestionsConfig(),
        });
        registerActions(services.actionsRegistry, service);
        httpRouter.use(createRouter({ service, runtime, httpAuth, requests }));
        // Express tells by the four parameters that it is called with errors; the type does not say so.
        httpRouter.use(reportUndecidedVisibility as unknown as RequestHandler);
        httpRouter.addAuthPolicy({ path: '/health', allow: 'unauthenticated' });
        lifecycle.addStartupHook(() => runtime.start());
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

/** What the configuration may name besides what the plugin has. */
function namesOf({ embeddingProviders, languageModels, vectorStores }: Extensions) {
  return {
    embeddingProviders: [...embeddingProviders.keys()],
    languageModels: [...languageModels.keys()],
    vectorStores: [...vectorStores.keys()],
  };
}
