import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createBackend } from '@backstage/backend-defaults';
import { rootConfigServiceFactory } from '@backstage/backend-defaults/rootConfig';
import { configFiles } from '../src/cli/configFiles';
import { rootLogger } from './rootLogger';
import { templateKind } from './templateKind';

const root = resolve(__dirname, '../../..');

startBackend().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  // Required because what has started already would keep the process alive.
  process.exit(1);
});

/** A real Backstage backend around the plugin, for use on one machine: `npm start`. */
async function startBackend(): Promise<void> {
  const { values } = parseArgs({ options: { config: { type: 'string', multiple: true } } });
  const files = configFiles(values.config ?? [], root);

  // Relative paths in configuration files are relative to the working directory.
  process.chdir(root);
  // The guest provider signs nobody in elsewhere.
  process.env.NODE_ENV ??= 'development';

  const backend = createBackend();
  backend.add(rootLogger);
  backend.add(rootConfigServiceFactory({ argv: files.flatMap(file => ['--config', file]) }));
  backend.add(import('@backstage/plugin-auth-backend'));
  backend.add(import('@backstage/plugin-auth-backend-module-guest-provider'));
  backend.add(import('@backstage/plugin-catalog-backend'));
  backend.add(import('@backstage/plugin-catalog-backend-module-logs'));
  backend.add(templateKind);
  backend.add(import('@backstage/plugin-techdocs-backend'));
  backend.add(import('../src'));
  // Backstage itself ends the process on SIGTERM and SIGINT, with exit code 0, when all is closed.
  await backend.start();
}
