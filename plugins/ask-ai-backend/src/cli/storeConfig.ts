import { type Config, ConfigReader } from '@backstage/config';
import type { JsonObject } from '@backstage/types';
import { isEncrypted } from '../lib/encryptedText';
import { ConfigService } from '../services/ConfigService';
import { failure } from './exitCodes';
import type { Variables } from './readConfig';

/**
 * What Backstage's configuration says of the store. Only that: whoever looks after a database need
 * not have the keys of the model servers, without which the rest may be incomplete.
 *
 * @param databaseUrl - a PostgreSQL database, which takes the place of the one in the configuration.
 * @param variables - of the process, with the key of encrypted texts; the default is the real ones.
 * @throws ConfigurationError, or a failure for a wrong URL.
 */
export function storeConfig(
  root: Config,
  databaseUrl?: string,
  variables?: Variables,
): ConfigService {
  const vectorStore = databaseUrl
    ? storeAtUrl(root, databaseUrl)
    : root.getOptional('askAi.vectorStore');
  const client = root.getOptionalString('backend.database.client');
  return ConfigService.fromConfig(
    new ConfigReader({
      ...(vectorStore !== undefined && { askAi: { vectorStore } }),
      ...(client !== undefined && { backend: { database: { client } } }),
    }),
    {},
    variables,
  );
}

/** What is configured of the index holds wherever the database is. */
function storeAtUrl(root: Config, databaseUrl: string): JsonObject {
  if (!/^postgres(ql)?:\/\//.test(databaseUrl) && !isEncrypted(databaseUrl)) {
    // It may hold a password, so it is not repeated.
    throw failure(
      'usage',
      'Expected --database-url (or ASK_AI_DATABASE_URL) to be a URL such as postgresql://user@host:5432/database.',
    );
  }
  const index = root.getOptional('askAi.vectorStore.postgresql.index');
  return {
    type: 'postgresql',
    postgresql: { connectionString: databaseUrl, ...(index !== undefined && { index }) },
  };
}
