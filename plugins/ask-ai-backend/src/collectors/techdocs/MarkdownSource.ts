import { rm } from 'node:fs/promises';
import type {
  LoggerService,
  RootConfigService,
  UrlReaderService,
} from '@backstage/backend-plugin-api';
import { type Entity, stringifyEntityRef } from '@backstage/catalog-model';
import type { DocumentContent } from 'backstage-plugin-ask-ai-node';
import { CollectorError } from '../../errors';
import { entityIdOf, messageOf } from '../entities';
import { fingerprintOf } from '../fingerprint';
import { isDocumentationFile, sectionsOfFolder } from './markdownFolder';

export interface MarkdownSourceOptions {
  /** TechDocs' own preparers read the `integrations` of it. */
  config: RootConfigService;
  reader: UrlReaderService;
  logger: LoggerService;
}

/** What was read of a repository before. */
interface Known {
  etag: string;
  fingerprint: string;
}

/**
 * The Markdown that `backstage.io/techdocs-ref` points to, for sites that were never built. TechDocs'
 * own preparers find it, so whatever TechDocs could build can be read.
 */
export class MarkdownSource {
  /** By entity id; some hundred bytes for every site that is read from a repository. */
  private readonly known = new Map<string, Known>();

  static create(options: MarkdownSourceOptions): MarkdownSource {
    return new MarkdownSource(options);
  }

  private constructor(private readonly options: MarkdownSourceOptions) {}

  /**
   * The fingerprint of what this process has read before, when the repository says that nothing
   * changed; it is asked with the etag of that time and sends no files.
   */
  async unchangedFingerprint(entity: Entity, signal?: AbortSignal): Promise<string | undefined> {
    const known = this.known.get(entityIdOf(entity));
    if (!known) {
      return undefined;
    }
    try {
      await this.prepare(entity, { etag: known.etag, isProbe: true, signal }, async () => {});
    } catch (error) {
      signal?.throwIfAborted();
      return isNamed(error, 'NotModifiedError') ? known.fingerprint : undefined;
    }
    return undefined;
  }

  /**
   * @param root - where the site lies in the portal.
   * @throws CollectorError when there is no such folder, or nothing to read in it.
   */
  async read(entity: Entity, root: string, signal?: AbortSignal): Promise<DocumentContent> {
    try {
      return await this.prepare(entity, { signal }, async ({ preparedDir, etag }) => {
        const sections = await sectionsOfFolder(preparedDir, root);
        const fingerprint = fingerprintOf(sections);
        if (etag !== '') {
          this.known.set(entityIdOf(entity), { etag, fingerprint });
        }
        return { sections, fingerprint };
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw new CollectorError(
        `The docs of ${stringifyEntityRef(entity)} were never built, and the Markdown behind ` +
          `backstage.io/techdocs-ref can't be read: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }

  private async prepare<T>(
    entity: Entity,
    request: { etag?: string; isProbe?: boolean; signal?: AbortSignal },
    use: (prepared: { preparedDir: string; etag: string }) => Promise<T>,
  ): Promise<T> {
    const { config, reader, logger } = this.options;
    const downloads: string[] = [];
    // Loaded when needed: with the clients of every object store it takes two seconds and 80 MB.
    const { Preparers } = await import('@backstage/plugin-techdocs-node');
    const preparers = await Preparers.fromConfig(config, {
      logger,
      reader: documentationReader(reader, {
        ...request,
        onDownload: folder => downloads.push(folder),
      }),
    });
    try {
      return await use(await preparers.get(entity).prepare(entity, { logger, etag: request.etag }));
    } finally {
      // Not left to the preparer: the one for folders never removes what it downloaded.
      await Promise.all(downloads.map(folder => rm(folder, { recursive: true, force: true })));
    }
  }
}

/**
 * A reader that unpacks documentation only, and says where to.
 *
 * @param isProbe - whether to stop before the first file: the etag has said all that was asked.
 */
function documentationReader(
  reader: UrlReaderService,
  {
    isProbe = false,
    signal,
    onDownload,
  }: { isProbe?: boolean; signal?: AbortSignal; onDownload(folder: string): void },
): UrlReaderService {
  return {
    readUrl: (url, options) => reader.readUrl(url, options),
    search: (url, options) => reader.search(url, options),
    readTree: async (url, options) => {
      const stop = new AbortController();
      const tree = await reader.readTree(url, {
        ...options,
        filter: isDocumentationFile,
        signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
      });
      return {
        etag: tree.etag,
        files: () => tree.files(),
        archive: () => tree.archive(),
        dir: async directoryOptions => {
          if (isProbe) {
            stop.abort();
            throw new Error('The repository has changed.');
          }
          const folder = await tree.dir(directoryOptions);
          onDownload(folder);
          return folder;
        },
      };
    },
  };
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
