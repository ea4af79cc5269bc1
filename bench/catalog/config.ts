import type { JsonObject } from '@backstage/types';

/** Entities that the catalog processes in a second on a machine that does little else. */
const PROCESSED_PER_SECOND = 200;

/** The configuration of a backend that fills its catalog quickly and then rests. */
export function catalogConfig({ entities, port }: { entities: number; port: number }): JsonObject {
  const baseUrl = `http://127.0.0.1:${port}`;
  return {
    app: { baseUrl },
    backend: {
      baseUrl,
      listen: { host: '127.0.0.1', port },
      // Anybody on this machine may read: there is nothing but generated entities.
      auth: { dangerouslyDisableDefaultAuthPolicy: true },
      database: { client: 'better-sqlite3', connection: ':memory:' },
    },
    catalog: {
      rules: [{ allow: ['API', 'Component', 'Group', 'Resource', 'System'] }],
      // Once: what is measured must not share the processor with the next pass.
      processingInterval: { days: 1 },
      orphanStrategy: 'keep',
      // The first look is in vain, the second comes after this time: then most entities are processed,
      // and none is stitched for each relation that another one brings.
      stitchingStrategy: {
        pollingInterval: { seconds: Math.max(1, Math.round(entities / PROCESSED_PER_SECOND)) },
      },
    },
  };
}
