import {
  type AuditorServiceCreateEventOptions,
  type BackendFeature,
  coreServices,
  createServiceFactory,
} from '@backstage/backend-plugin-api';
import { mockCredentials, mockServices, startTestBackend } from '@backstage/backend-test-utils';
import type { Entity } from '@backstage/catalog-model';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import type { IndexStatus } from 'backstage-plugin-ask-ai-common';
import { pollUntil } from '../../../../tests/services/poll';
import { askAiPlugin } from '../plugin';

/** An audit event, with how it ended. */
export type AuditedEvent = AuditorServiceCreateEventOptions & { outcome?: 'success' | 'fail' };

/** One call; without `user` it is a service's. */
export interface BackendCall {
  user?: string;
  method?: string;
  body?: unknown;
  /** Of the body; JSON's where left out. */
  contentType?: string;
  accept?: string;
  signal?: AbortSignal;
}

/** The plugin in a backend of its own, over HTTP. */
export interface AskAiBackend {
  url: string;
  fetch(path: string, call?: BackendCall): Promise<Response>;
  /** In the order in which they began. */
  audit: AuditedEvent[];
  /** Connections of clients that are open. */
  connections(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts the plugin beside a catalog of these entities and waits until they are indexed. */
export async function startAskAiBackend(options: {
  askAi: object;
  entities?: Entity[];
  features?: (BackendFeature | Promise<{ default: BackendFeature }>)[];
}): Promise<AskAiBackend> {
  const audit: AuditedEvent[] = [];
  const backend = await startTestBackend({
    features: [
      askAiPlugin,
      catalogServiceMock.factory({ entities: options.entities ?? [] }),
      recordingAuditor(audit),
      ...(options.features ?? []),
      mockServices.rootConfig.factory({
        data: {
          backend: { baseUrl: 'http://localhost:0' },
          askAi: { index: { settleSeconds: 0 }, ...options.askAi },
        },
      }),
    ],
  });
  const url = `http://localhost:${backend.server.port()}/api/ask-ai`;
  const call: AskAiBackend['fetch'] = (
    path,
    { user, method, body, contentType, accept, signal } = {},
  ) =>
    fetch(`${url}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        authorization: user ? mockCredentials.user.header(user) : mockCredentials.service.header(),
        ...(accept && { accept }),
        ...(body !== undefined && { 'content-type': contentType ?? 'application/json' }),
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      signal,
    });
  await pollUntil('The first index run', 50_000, async () => {
    const status = (await (await call('/index/status')).json()) as IndexStatus;
    return (status.state === 'idle' && status.lastRun !== undefined) || undefined;
  });
  return {
    url,
    audit,
    fetch: call,
    connections: () =>
      new Promise((resolve, reject) => {
        backend.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      }),
    stop: () => backend.stop(),
  };
}

/** An entity with this text. */
export function describedEntity(name: string, description: string): Entity {
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    metadata: { name, namespace: 'default', description },
    spec: { type: 'service', lifecycle: 'production', owner: 'group:default/till' },
  };
}

function recordingAuditor(audit: AuditedEvent[]) {
  return createServiceFactory({
    service: coreServices.auditor,
    deps: {},
    factory: () => ({
      async createEvent(options) {
        const event: AuditedEvent = { ...options };
        audit.push(event);
        return {
          async success() {
            event.outcome = 'success';
          },
          async fail() {
            event.outcome = 'fail';
          },
        };
      },
    }),
  });
}
