import type { Config } from '@backstage/config';
import { failure } from './exitCodes';
import { readConfig, type Variables } from './readConfig';

const DEFAULT_URL = 'http://localhost:7007';

/** Options that every command has. */
export interface ConnectionOptions {
  url?: string;
  token?: string;
  config?: string[];
}

/** The backend that a command talks to. */
export interface BackendTarget {
  /** Without a slash at the end. */
  url: string;
  token?: string;
  /** Where people open the portal; without a slash at the end. */
  appUrl?: string;
}

/**
 * Options come first, then `ASK_AI_URL` and `ASK_AI_TOKEN`, then Backstage's configuration files.
 *
 * @param directory - where the configuration files are looked for.
 */
export async function findBackend(
  options: ConnectionOptions,
  environment: Variables,
  directory: string,
): Promise<BackendTarget> {
  const config = await readConfig(options.config ?? [], environment, directory);
  const configuredUrl = config.getOptionalString('backend.baseUrl');
  const url = checkUrl(options.url ?? environment.ASK_AI_URL ?? configuredUrl ?? DEFAULT_URL);
  return {
    url,
    token:
      options.token ??
      environment.ASK_AI_TOKEN ??
      (maySend(url, configuredUrl) ? staticToken(config) : undefined),
    appUrl: withoutTrailingSlash(config.getOptionalString('app.baseUrl')),
  };
}

/** The token that the configuration grants to external callers. */
function staticToken(config: Config): string | undefined {
  return config
    .getOptionalConfigArray('backend.auth.externalAccess')
    ?.find(access => access.getOptionalString('type') === 'static')
    ?.getOptionalString('options.token');
}

/** The configuration's token is for the configuration's backend, not for whichever URL is given. */
function maySend(url: string, configuredUrl: string | undefined): boolean {
  const { hostname, origin } = new URL(url);
  return (
    ['localhost', '127.0.0.1', '[::1]'].includes(hostname) ||
    (configuredUrl !== undefined && new URL(configuredUrl).origin === origin)
  );
}

function checkUrl(url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw failure(
      'usage',
      `Expected the URL of the backend to begin with http:// or https://, got "${url}"`,
    );
  }
  return url.replace(/\/+$/, '');
}

function withoutTrailingSlash(url: string | undefined): string | undefined {
  return url?.replace(/\/+$/, '');
}
