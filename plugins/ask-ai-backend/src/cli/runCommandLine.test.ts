import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import type { AskResponse, IndexStatus, RankedResult } from 'backstage-plugin-ask-ai-common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommandLine } from './runCommandLine';
import { createTerminal } from './terminal';

const source: RankedResult = {
  documentChunk: {
    id: 'c1',
    entityId: 'component:default/ask-ai',
    entityName: 'Ask AI',
    content: 'Roll back  a migration with\nthe down file.',
    metadata: {
      source: 'techdocs',
      chunkIndex: 0,
      totalChunks: 1,
      title: 'Migrations › Roll back',
      location: '/docs/default/component/ask-ai/MIGRATION_GUIDE/#roll-back',
    },
  },
  similarity: 0.834,
  score: 0.03,
};

const answer: AskResponse = {
  id: 'a1',
  answer: 'Run the **down** file. [1]',
  sources: [source],
  model: 'extractive',
  found: true,
};

const status: IndexStatus = { state: 'idle', vectorCount: 3, entityCount: 1, failures: [] };

/** Answers as the backend does and remembers what it was asked. */
class FakeBackend {
  readonly requests: { path: string; token?: string; body: unknown }[] = [];
  readonly replies: Record<string, { status: number; body: unknown }> = {
    '/api/ask-ai/': { status: 200, body: answer },
    '/api/ask-ai/search': { status: 200, body: { results: [source] } },
    '/api/ask-ai/index/status': { status: 200, body: status },
  };
  private readonly server: Server = createServer((request, response) =>
    this.reply(request, response),
  );

  async listen(): Promise<string> {
    await new Promise<void>(resolve => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    return new Promise(resolve => this.server.close(() => resolve()));
  }

  private async reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = (await request.toArray()).join('');
    const path = request.url ?? '';
    this.requests.push({
      path,
      token: request.headers.authorization,
      body: text ? JSON.parse(text) : undefined,
    });
    const reply = this.replies[path] ?? { status: 404, body: undefined };
    response.writeHead(reply.status, { 'content-type': 'application/json', connection: 'close' });
    response.end(reply.body === undefined ? 'no such page' : JSON.stringify(reply.body));
  }
}

describe('runCommandLine', () => {
  let backend: FakeBackend;
  let url: string;
  let printed: string;
  let noted: string;

  beforeEach(async () => {
    backend = new FakeBackend();
    url = await backend.listen();
    printed = '';
    noted = '';
  });

  afterEach(() => backend.close());

  function run(words: string[], stream: { isTTY?: boolean; columns?: number } = {}) {
    const stdout = {
      ...stream,
      write: (text: string) => {
        printed += text;
      },
    };
    const stderr = {
      ...stream,
      write: (text: string) => {
        noted += text;
      },
    };
    const variables = { ASK_AI_URL: url, ASK_AI_TOKEN: 'the-token' };
    return runCommandLine(words, {
      variables,
      directory: tmpdir(),
      terminal: createTerminal(stdout, stderr, variables),
      signals: new EventEmitter(),
      openStore: () => Promise.reject(new Error('not a command on the database')),
    });
  }

  it('asks and prints the answer with numbered sources, plain when nobody watches', async () => {
    expect(await run(['ask', 'How', 'do I roll back?', '--top-k', '3'])).toBe(0);
    expect(backend.requests).toContainEqual({
      path: '/api/ask-ai/',
      token: 'Bearer the-token',
      body: { prompt: 'How do I roll back?', topK: 3 },
    });
    expect(printed).toBe(
      [
        'Run the **down** file. [1]',
        '',
        'Sources',
        ' [1] Migrations › Roll back  similarity 0.83',
        '     Ask AI (component:default/ask-ai)',
        '     /docs/default/component/ask-ai/MIGRATION_GUIDE/#roll-back',
        '',
      ].join('\n'),
    );
    expect(noted).toBe('');
  });

  it('uses colours and a spinner on a terminal, and cleans up behind itself', async () => {
    expect(await run(['ask', 'x'], { isTTY: true, columns: 80 })).toBe(0);
    expect(printed).toContain('\u001b[1mdown\u001b[22m');
    expect(noted).toContain('Looking for an answer');
    expect(noted.endsWith('\r\u001b[2K')).toBe(true);
  });

  it('prints what the backend answered with --json', async () => {
    expect(await run(['ask', '--json', 'x'], { isTTY: true })).toBe(0);
    expect(JSON.parse(printed)).toEqual(answer);
    expect(backend.requests).toHaveLength(1);
  });

  it('ends with 3 when nothing was found, and says why that may be', async () => {
    backend.replies['/api/ask-ai/'] = {
      status: 200,
      body: { ...answer, answer: 'Not found.', sources: [], found: false },
    };
    backend.replies['/api/ask-ai/index/status'] = {
      status: 200,
      body: { ...status, vectorCount: 0 },
    };
    expect(await run(['ask', 'x'])).toBe(3);
    expect(printed).toBe('Not found.\n');
    expect(noted).toContain('The index is empty');
  });

  it('answers although the state of the index is not to be had', async () => {
    backend.replies['/api/ask-ai/index/status'] = { status: 403, body: {} };
    expect(await run(['ask', 'x'])).toBe(0);
  });

  it('searches with a filter and shows excerpts', async () => {
    const words = [
      'search',
      'roll',
      'back',
      '--mode',
      'keyword',
      '--kind',
      'API',
      '--kind',
      'System',
    ];
    expect(await run([...words, '--entity', 'api:default/x'])).toBe(0);
    expect(backend.requests.find(({ path }) => path.endsWith('/search'))?.body).toEqual({
      query: 'roll back',
      mode: 'keyword',
      entityId: 'api:default/x',
      filter: { kinds: ['API', 'System'] },
    });
    expect(printed).toContain('     Roll back a migration with the down file.');
  });

  it('shows the state of the index', async () => {
    expect(await run(['status'])).toBe(0);
    expect(printed).toBe('Index     idle, 3 chunks of 1 entity\n');
  });

  it('warns of a vector index that finds too little', async () => {
    const vectorIndex = {
      state: 'valid',
      m: 16,
      efConstruction: 64,
      precision: 'full',
      efSearch: 100,
      recallTarget: 0.95,
      message: 'Recall is below its target: run ask-ai reindex --tune.',
    };
    backend.replies['/api/ask-ai/index/status'] = {
      status: 200,
      body: { ...status, vectorIndex },
    };
    expect(await run(['status'])).toBe(0);
    expect(printed).toContain('Vector index  m 16');
    expect(noted).toBe(`${vectorIndex.message}\n`);
  });

  it.each([
    [false, 'The backend indexes the catalog in run r7. Watch it with: ask-ai status\n'],
    [true, 'Run r7 is under way already and takes care of it. Watch it with: ask-ai status\n'],
  ])('asks for a run of the catalog, joined: %s', async (joined, text) => {
    const started = { runId: 'r7', joined };
    backend.replies['/api/ask-ai/index'] = { status: 202, body: started };
    expect(await run(['reindex'])).toBe(0);
    expect(backend.requests).toEqual([
      { path: '/api/ask-ai/index', token: 'Bearer the-token', body: {} },
    ]);
    expect(printed).toBe(text);
    printed = '';
    expect(await run(['reindex', '--json'])).toBe(0);
    expect(JSON.parse(printed)).toEqual(started);
  });

  it.each([
    [400, { error: { name: 'InputError', message: 'Expected prompt ...' } }, 2, 'Expected prompt'],
    [401, { error: { message: 'no' } }, 5, 'does not know the token'],
    [403, { error: { message: 'You may not.' } }, 5, 'You may not.'],
    [404, undefined, 1, 'is the plugin added to that backend?'],
    [502, { error: { message: 'Ollama is down: start it.' } }, 1, 'Ollama is down: start it.'],
    [500, 'odd', 1, 'answered with status 500'],
    [200, undefined, 1, 'did not answer with JSON'],
  ])('tells a reply of %i with %j', async (status_, body, exitCode, message) => {
    backend.replies['/api/ask-ai/'] = { status: status_, body };
    expect(await run(['ask', 'x'])).toBe(exitCode);
    expect(noted).toContain(message);
    expect(printed).toBe('');
  });

  it('says how to start a backend when none answers', async () => {
    await backend.close();
    expect(await run(['ask', 'x'])).toBe(4);
    expect(noted).toContain(
      `No backend answers at ${url} (ECONNREFUSED): start it with \`npm start\``,
    );
  });

  it.each([
    [['ask'], "missing required argument 'question'"],
    [['ask', 'x', '--top-k', '0'], 'Expected an integer from 1 to 100.'],
    [['ask', 'x', '--colour'], "unknown option '--colour'"],
    [['reindex', '--tune', '--m', '8'], "option '--tune' cannot be used with option '--m <count>'"],
    [['reindex', '--m', '101'], 'Expected an integer from 2 to 100.'],
    [['reindex', '--ef-construction', '3'], 'Expected an integer from 4 to 1,000.'],
    [['reindex', '--m', '40', '--ef-construction', '79'], 'to be at least 80, which is twice --m'],
    [['reindex', '--database-url', 'postgresql://x'], '--database-url goes with --tune'],
    [['recall', '--sample', '0'], 'Expected an integer from 1 to 10,000.'],
    [['search', 'x', '--mode', 'magic'], 'Allowed choices are hybrid, vector, keyword'],
    [['serach', 'x'], "unknown command 'serach'"],
  ])('refuses %j', async (words, message) => {
    expect(await run(words)).toBe(2);
    expect(noted).toContain(message);
    expect(backend.requests).toEqual([]);
  });

  it('documents commands, examples and exit codes', async () => {
    expect(await run(['--help'])).toBe(0);
    expect(printed).toMatch(/ask .*search .*status .*recall .*explain .*reindex .*Exit codes:/s);
  });

  it.each([
    ['ask', 'Examples:'],
    ['recall', 'Exit code: 0 when the target is reached, 1 when not'],
    ['explain', 'Exit code: 0 when each kind uses its index'],
    ['reindex', 'Exit code: 0 when a run has begun'],
  ])('helps with %s', async (command, text) => {
    expect(await run([command, '--help'])).toBe(0);
    expect(printed).toContain(text);
  });
});
