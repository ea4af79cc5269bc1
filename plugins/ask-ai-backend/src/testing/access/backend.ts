import { actionsRegistryServiceFactory } from '@backstage/backend-defaults/alpha';
import {
  type AuthService,
  type BackendFeature,
  coreServices,
  createBackendModule,
  createServiceFactory,
} from '@backstage/backend-plugin-api';
import { mockCredentials, mockServices, startTestBackend } from '@backstage/backend-test-utils';
import type { Entity } from '@backstage/catalog-model';
import { catalogProcessingExtensionPoint } from '@backstage/plugin-catalog-node';
import { policyExtensionPoint } from '@backstage/plugin-permission-node/alpha';
import type { JsonObject } from '@backstage/types';
import type { IndexStatus } from 'backstage-plugin-ask-ai-common';
import { Agent, fetch as undiciFetch } from 'undici';
import { pollUntil } from '../../../../../tests/services/poll';
import { userOf } from '../../lib/principal';
import { askAiPlugin } from '../../plugin';
import { MatrixPolicy } from './users';

/** A backend with the real catalog and the real permission backend. */
export interface AccessBackend {
  url: string;
  /** Calls as a user or, left out, as a service. */
  fetch(path: string, options?: AccessRequest): Promise<Pick<Response, 'status' | 'text' | 'json'>>;
  /** Plugins that cannot be reached until they are taken off the list. */
  unreachable: Set<string>;
  stop(): Promise<void>;
}

/** One call. */
export interface AccessRequest {
  user?: string;
  method?: string;
  body?: unknown;
  accept?: string;
  signal?: AbortSignal;
}

/** Starts the backend and waits until all entities are indexed. */
export async function startAccessBackend(options: {
  entities: Entity[];
  askAi: object;
  features?: BackendFeature[];
  /** `backend.cache`. */
  cache?: JsonObject;
}): Promise<AccessBackend> {
  const unreachable = new Set<string>();
  let port = 0;
  const backend = await startTestBackend({
    features: [
      askAiPlugin,
      import('@backstage/plugin-catalog-backend'),
      import('@backstage/plugin-permission-backend'),
      policy,
      provider(options.entities),
      onBehalfOfUsers,
      actionsRegistryServiceFactory,
      discovery(unreachable, () => port),
      ...(options.features ?? []),
      mockServices.rootConfig.factory({
        data: {
          backend: {
            baseUrl: 'http://localhost:0',
            ...(options.cache && { cache: options.cache }),
          },
          permission: { enabled: true },
          askAi: { index: { settleSeconds: 2 }, ...options.askAi },
        },
      }),
    ],
  });
  port = backend.server.port();
  const url = `http://localhost:${port}`;

  // A connection that is used again may just be closing at the other end when the machine is busy.
  const dispatcher = new Agent({ pipelining: 0 });
  const call: AccessBackend['fetch'] = (path, { user, method, body, accept, signal } = {}) =>
    undiciFetch(`${url}/api${path}`, {
      dispatcher,
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        authorization: user ? mockCredentials.user.header(user) : mockCredentials.service.header(),
        ...(accept && { accept }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
  await pollUntil('The index of all entities', 100_000, async () => {
    const response = await call('/ask-ai/index/status');
    const status = (await response.json()) as IndexStatus;
    const isDone = status.state === 'idle' && status.entityCount === options.entities.length;
    return isDone || undefined;
  });
  return {
    url,
    unreachable,
    fetch: call,
    stop: async () => {
      await backend.stop();
      await dispatcher.close();
    },
  };
}

const policy = createBackendModule({
  pluginId: 'permission',
  moduleId: 'matrix-policy',
  register(env) {
    env.registerInit({
      deps: { policies: policyExtensionPoint },
      async init({ policies }) {
        policies.setPolicy(new MatrixPolicy());
      },
    });
  },
});

function provider(entities: Entity[]) {
  return createBackendModule({
    pluginId: 'catalog',
    moduleId: 'matrix-entities',
    register(env) {
      env.registerInit({
        deps: { catalog: catalogProcessingExtensionPoint },
        async init({ catalog }) {
          catalog.addEntityProvider({
            getProviderName: () => 'matrix',
            connect: connection =>
              connection.applyMutation({
                type: 'full',
                entities: entities.map(entity => ({ entity, locationKey: 'matrix' })),
              }),
          });
        },
      });
    },
  });
}

/**
 * The mock forgets which plugin calls on behalf of a user, and then the permission backend takes the call
 * for one of the user's own, which may not ask for conditions.
 */
const onBehalfOfUsers = createServiceFactory({
  service: coreServices.auth,
  deps: { plugin: coreServices.pluginMetadata },
  factory({ plugin }) {
    const auth = mockServices.auth({ pluginId: plugin.getId() });
    const actor = { subject: `plugin:${plugin.getId()}` };
    const getPluginRequestToken: AuthService['getPluginRequestToken'] = async options => {
      const user = userOf(options.onBehalfOf);
      return user === undefined
        ? auth.getPluginRequestToken(options)
        : { token: mockCredentials.user.token(user, { actor }) };
    };
    return Object.assign(Object.create(auth) as AuthService, { getPluginRequestToken });
  },
});

/** Nothing listens on port 1. */
function discovery(unreachable: ReadonlySet<string>, port: () => number) {
  const baseUrl = async (pluginId: string) =>
    `http://localhost:${unreachable.has(pluginId) ? 1 : port()}/api/${pluginId}`;
  return createServiceFactory({
    service: coreServices.discovery,
    deps: {},
    factory: () => ({ getBaseUrl: baseUrl, getExternalBaseUrl: baseUrl }),
  });
}
