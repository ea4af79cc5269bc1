import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Entity } from '@backstage/catalog-model';
import type { CollectedDocument } from 'backstage-plugin-ask-ai-node';

/** What the server does with a request. */
export type Answer = { status?: number; body?: unknown } | ((response: ServerResponse) => void);

/** Speaks as the TechDocs backend does; what it has no answer for is a 404. */
export class TechDocsServer {
  readonly answers = new Map<string, Answer>();
  readonly requests: IncomingMessage[] = [];
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      this.requests.push(request);
      const answer = this.answers.get(request.url ?? '') ?? { status: 404 };
      if (typeof answer === 'function') {
        answer(response);
      } else {
        response.statusCode = answer.status ?? 200;
        response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
      }
    });
  }

  async start(): Promise<string> {
    await new Promise<void>(resolve => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }

  publish(site: string, metadata: object, text = 'Text.'): void {
    this.answers.set(`/static/docs/${site}/techdocs_metadata.json`, { body: metadata });
    this.answers.set(`/static/docs/${site}/search/search_index.json`, {
      body: {
        config: { indexing: 'full' },
        docs: [{ location: 'guide/#install', title: 'Install', text }],
      },
    });
  }
}

/** A component with documentation. */
export function documentedEntity(name: string, annotations: Record<string, string> = {}): Entity {
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    metadata: { name, annotations: { 'backstage.io/techdocs-ref': 'dir:.', ...annotations } },
  };
}

/** All that a collector yields. */
export async function collectAll(
  documents: AsyncIterable<CollectedDocument>,
): Promise<CollectedDocument[]> {
  const collected: CollectedDocument[] = [];
  for await (const document of documents) {
    collected.push(document);
  }
  return collected;
}
