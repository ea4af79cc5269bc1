import { resolve } from 'node:path';

/** What a process of its own runs with {@link devBackendConfig}. */
export const DEV_BACKEND = resolve(__dirname, '../../dev/index.ts');

/** Signs in to a backend of {@link devBackendConfig}. */
export const DEV_TOKEN = 'for-tests-only-0123456789';

const CATALOG = resolve(__dirname, '../../../../examples/catalog/all.yaml');
/** Of entities; the catalog takes fewer by itself. */
export const ALL_KINDS = [
  'API',
  'Component',
  'Domain',
  'Group',
  'Location',
  'Resource',
  'System',
  'Template',
  'User',
];

/** The configuration of a development backend on a port of 127.0.0.1, with the sample catalog. */
export function devBackendConfig(port: number, askAi: object): object {
  return {
    backend: {
      baseUrl: `http://127.0.0.1:${port}`,
      listen: { host: '127.0.0.1', port },
      database: { client: 'better-sqlite3', connection: ':memory:' },
      auth: {
        externalAccess: [{ type: 'static', options: { token: DEV_TOKEN, subject: 'ask-ai-test' } }],
      },
    },
    events: { useEventBus: 'never' },
    auth: { environment: 'development', providers: { guest: {} } },
    catalog: { rules: [{ allow: ALL_KINDS }], locations: [{ type: 'file', target: CATALOG }] },
    techdocs: { builder: 'external', generator: { runIn: 'local' }, publisher: { type: 'local' } },
    askAi,
  };
}
