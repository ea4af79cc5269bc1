import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { createConfigSecretEnumerator } from '@backstage/backend-defaults/rootConfig';
import {
  WinstonLogger,
  type WinstonLoggerLevelOverride,
} from '@backstage/backend-defaults/rootLogger';
import { coreServices, createServiceFactory } from '@backstage/backend-plugin-api';
import { type ConfigSchema, loadConfigSchema } from '@backstage/config-loader';

/** The packages whose schemas tell which settings are secrets. */
const PACKAGES = [
  'backstage-plugin-ask-ai-backend',
  '@backstage/backend-defaults',
  '@backstage/plugin-auth-backend',
  '@backstage/plugin-catalog-backend',
  '@backstage/plugin-techdocs-backend',
];

/** What the schemas depend on, and where they are kept. */
const root = resolve(__dirname, '../../..');
const SOURCES = [resolve(root, 'package-lock.json'), resolve(__dirname, '../config.d.ts')];
const KEPT = resolve(root, '.data/config-schema.json');

/**
 * Backstage's root logger, with the schemas of the configuration kept between starts. Backstage reads
 * them anew at every start and compiles `config.d.ts` by TypeScript, which takes more than a second;
 * it needs them for one thing, to keep secrets out of the log.
 */
export const rootLogger = createServiceFactory({
  service: coreServices.rootLogger,
  deps: { config: coreServices.rootConfig },
  async factory({ config }) {
    const logger = WinstonLogger.create({
      meta: { service: 'backstage' },
      level: config.getOptionalString('backend.logger.level'),
    });
    const secretsOf = await createConfigSecretEnumerator({ logger, schema: await keptSchema() });
    logger.addRedactions(secretsOf(config));
    logger.setLevelOverrides(
      config.getOptional<WinstonLoggerLevelOverride[]>('backend.logger.overrides') ?? [],
    );
    return logger;
  },
});

async function keptSchema(): Promise<ConfigSchema> {
  const key = await fingerprint();
  const kept = await readKept();
  if (kept?.key === key) {
    return loadConfigSchema({ serialized: kept.schema });
  }
  const schema = await loadConfigSchema({ dependencies: PACKAGES });
  await mkdir(dirname(KEPT), { recursive: true });
  const unfinished = `${KEPT}.${process.pid}`;
  await writeFile(unfinished, JSON.stringify({ key, schema: schema.serialize() }));
  await rename(unfinished, KEPT);
  return schema;
}

async function readKept() {
  try {
    return JSON.parse(await readFile(KEPT, 'utf8')) as {
      key: string;
      schema: ReturnType<ConfigSchema['serialize']>;
    };
  } catch {
    // Not there yet, or cut short: it is made anew.
    return undefined;
  }
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of SOURCES) {
    hash.update(await readFile(file));
  }
  return hash.digest('hex');
}
