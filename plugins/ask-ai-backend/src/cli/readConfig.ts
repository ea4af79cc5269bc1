import type { Config } from '@backstage/config';
import { ConfigSources, StaticConfigSource } from '@backstage/config-loader';
import { configFiles } from './configFiles';
import { failure } from './exitCodes';

/** The variables of the process. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Backstage's configuration; an empty one where there is none.
 *
 * @param given - files that lie over those of `directory`.
 * @param variables - what `${NAME}` in a file stands for.
 */
export async function readConfig(
  given: readonly string[],
  variables: Variables,
  directory: string,
): Promise<Config> {
  try {
    const source = ConfigSources.default({
      argv: configFiles(given, directory).flatMap(file => ['--config', file]),
      rootDir: directory,
      allowMissingDefaultConfig: true,
      watch: false,
      env: variables,
      substitutionFunc: async name => variables[name]?.trim(),
    });
    // Backstage's loader fails when no source has any data.
    const nothing = StaticConfigSource.create({ data: {} });
    const config = await ConfigSources.toConfig(ConfigSources.merge([nothing, source]));
    config.close();
    return config;
  } catch (error) {
    throw failure('usage', `Can't read the configuration: ${String((error as Error).message)}`);
  }
}
