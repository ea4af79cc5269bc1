import type { AuthService, DiscoveryService } from '@backstage/backend-plugin-api';
import { CollectorError } from '../../errors';
import { messageOf } from '../entities';
import { parseSearchIndex, type SearchIndex } from './searchIndex';

/** What the TechDocs backend has of a site; a failure concerns this site alone. */
export type SiteFile<T> =
  | { state: 'found'; content: T }
  | { state: 'missing' }
  | { state: 'failed'; error: CollectorError };

export interface TechDocsClientOptions {
  auth: AuthService;
  discovery: DiscoveryService;
  /** The one of the platform by default. */
  fetch?: typeof fetch;
  /** For one file. Default 30,000: a site of 10 MB from a slow object store. */
  timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * A backend that hangs would hold up a run for hours, a timeout for each site; this many of them
 * without an answer in between take it for unreachable.
 */
const MOST_TIMEOUTS_IN_A_ROW = 16;

/** Bytes. The index of a site of 10,000 pages has about 50 MB; a larger one would fill the memory. */
const LARGEST_FILE = 64 * 1024 * 1024;

/** Codes of errors that mean that no request can reach the backend. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Reads published sites from the TechDocs backend, with a new token for every request. */
export class TechDocsClient {
  private timeoutsInARow = 0;

  static create(options: TechDocsClientOptions): TechDocsClient {
    return new TechDocsClient(options);
  }

  private constructor(private readonly options: TechDocsClientOptions) {}

  /**
   * What changes when the site was built anew; `undefined` in what was found when nothing says so.
   *
   * @param route - `namespace/kind/name`, in the case in which sites are published.
   * @throws CollectorError when the backend can't be reached at all.
   */
  async buildTag(route: string, signal?: AbortSignal): Promise<SiteFile<string | undefined>> {
    const file = await this.read(route, 'techdocs_metadata.json', signal);
    if (file.state !== 'found') {
      return file;
    }
    const { etag, build_timestamp: builtAt } = Object(file.content);
    const parts = [etag, builtAt].filter(part => part !== undefined && part !== '');
    return { state: 'found', content: parts.length > 0 ? parts.join('@') : undefined };
  }

  /**
   * @param route - as in `buildTag`.
   * @throws CollectorError when the backend can't be reached at all.
   */
  async searchIndex(route: string, signal?: AbortSignal): Promise<SiteFile<SearchIndex>> {
    const file = await this.read(route, 'search/search_index.json', signal);
    if (file.state !== 'found') {
      return file;
    }
    const content = parseSearchIndex(file.content);
    return content
      ? { state: 'found', content }
      : failed(`TechDocs has a search_index.json for ${route} that is not one of MkDocs.`);
  }

  private async read(
    route: string,
    file: string,
    signal?: AbortSignal,
  ): Promise<SiteFile<unknown>> {
    const { fetch: send = fetch, timeoutMs = DEFAULT_TIMEOUT_MS } = this.options;
    const { baseUrl, token } = await this.target();
    const path = route.split('/').map(encodeURIComponent).join('/');
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await send(`${baseUrl}/static/docs/${path}/${file}`, {
        headers: { Authorization: `Bearer ${token}` },
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      this.timeoutsInARow = 0;
      if (!response.ok) {
        await response.body?.cancel();
        return response.status === 404
          ? { state: 'missing' }
          : failed(`TechDocs answered ${response.status} for ${file} of ${route}.`);
      }
      return { state: 'found', content: JSON.parse(await readBody(response)) };
    } catch (error) {
      signal?.throwIfAborted();
      if (timeout.aborted) {
        return this.timedOut(
          `TechDocs did not answer for ${file} of ${route} within ${timeoutMs} ms.`,
        );
      }
      if (isUnreachable(error)) {
        throw new CollectorError(`TechDocs can't be reached at ${baseUrl}: ${reasonOf(error)}`, {
          cause: error,
        });
      }
      return failed(`TechDocs gave no readable ${file} for ${route}: ${reasonOf(error)}`, error);
    }
  }

  private timedOut(message: string): SiteFile<never> {
    this.timeoutsInARow++;
    if (this.timeoutsInARow >= MOST_TIMEOUTS_IN_A_ROW) {
      this.timeoutsInARow = 0;
      throw new CollectorError(
        `TechDocs gave no answer ${MOST_TIMEOUTS_IN_A_ROW} times in a row. ${message}`,
      );
    }
    return failed(message);
  }

  private async target(): Promise<{ baseUrl: string; token: string }> {
    const { auth, discovery } = this.options;
    try {
      const { token } = await auth.getPluginRequestToken({
        onBehalfOf: await auth.getOwnServiceCredentials(),
        targetPluginId: 'techdocs',
      });
      return { baseUrl: await discovery.getBaseUrl('techdocs'), token };
    } catch (error) {
      throw new CollectorError(`No way to the TechDocs backend: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

async function readBody(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > LARGEST_FILE) {
      throw new Error(`it is larger than ${LARGEST_FILE} bytes`);
    }
    parts.push(decoder.decode(part, { stream: true }));
  }
  parts.push(decoder.decode());
  return parts.join('');
}

function failed(message: string, cause?: unknown): { state: 'failed'; error: CollectorError } {
  return { state: 'failed', error: new CollectorError(message, { cause }) };
}

function isUnreachable(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' && UNREACHABLE.has(code);
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return cause instanceof Error ? cause.message || code || messageOf(error) : messageOf(error);
}
