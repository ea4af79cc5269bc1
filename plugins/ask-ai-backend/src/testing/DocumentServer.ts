import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type {
  CollectedDocument,
  CollectOptions,
  Collector,
  DocumentContent,
} from 'backstage-plugin-ask-ai-node';

/** Texts of the sections by entity id. */
export type Documents = ReadonlyMap<string, readonly string[]>;

interface Listed {
  entityId: string;
  fingerprint: string;
}

/** A source of documents over HTTP, for processes that collect them: a list, and each by its name. */
export class DocumentServer {
  documents: Documents = new Map();
  /** Called when the content of a document is asked for; the answer waits for it. */
  onLoad: (entityId: string) => Promise<void> | void = () => {};
  url = '';
  private readonly server: Server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const entityId = searchParams.get('entityId');
    const answer = entityId === null ? Promise.resolve(this.list()) : this.content(entityId);
    void answer.then(body => response.end(JSON.stringify(body)));
  });

  static async start(documents: Documents = new Map()): Promise<DocumentServer> {
    const server = new DocumentServer();
    server.documents = documents;
    server.server.listen(0, '127.0.0.1');
    await once(server.server, 'listening');
    server.url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}/`;
    return server;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }

  private list(): Listed[] {
    return [...this.documents].map(([entityId, texts]) => ({
      entityId,
      fingerprint: fingerprintOf(texts),
    }));
  }

  private async content(entityId: string): Promise<DocumentContent> {
    const texts = this.documents.get(entityId) ?? [];
    await this.onLoad(entityId);
    return {
      fingerprint: fingerprintOf(texts),
      sections: texts.map((text, index) => ({
        headingPath: [`Part ${index}`],
        text,
        location: `/docs/${entityId}#part-${index}`,
      })),
    };
  }
}

/** Collects what a {@link DocumentServer} has. */
export class HttpCollector implements Collector {
  readonly source = 'techdocs';

  constructor(private readonly url: string) {}

  async *collect({ entityRef, signal }: CollectOptions): AsyncIterable<CollectedDocument> {
    const listed: Listed[] = await this.ask(this.url, signal);
    for (const { entityId, fingerprint } of listed) {
      if (entityRef === undefined || entityRef === entityId) {
        yield {
          entityId,
          entityName: entityId,
          source: this.source,
          fingerprint,
          load: options =>
            this.ask(`${this.url}?entityId=${encodeURIComponent(entityId)}`, options.signal),
        };
      }
    }
  }

  private async ask<T>(url: string, signal: AbortSignal | undefined): Promise<T> {
    return (await fetch(url, { signal })).json() as Promise<T>;
  }
}

function fingerprintOf(texts: readonly string[]): string {
  return JSON.stringify(texts);
}
