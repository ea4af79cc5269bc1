import {
  coreServices,
  createServiceFactory,
  type LoggerService,
} from '@backstage/backend-plugin-api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pollUntil } from '../../../tests/services/poll';
import { type AskAiBackend, describedEntity, startAskAiBackend } from './testing/askAiBackend';
import { TestOllamaServer } from './testing/ollamaServer';

const PROMPT = 'How long are ledger entries kept?';

interface LogLine {
  level: string;
  message: string;
}

describe('a client that leaves', { timeout: 60_000 }, () => {
  const log: LogLine[] = [];
  let model: TestOllamaServer;
  let backend: AskAiBackend;

  beforeAll(async () => {
    model = await TestOllamaServer.start();
    backend = await startAskAiBackend({
      entities: [describedEntity('ledger', `${PROMPT} Ten years.`)],
      features: [recordingLogger(log)],
      askAi: {
        vectorStore: { type: 'memory' },
        embeddingModel: 'all-minilm',
        defaultModel: 'llama3.2',
        ollamaBaseUrl: model.url,
      },
    });
  });

  afterAll(async () => {
    await backend?.stop();
    await model?.close();
  });

  beforeEach(() => {
    log.length = 0;
    backend.audit.length = 0;
  });

  afterEach(() => {
    model.stopFailing();
  });

  const faults = () =>
    log.filter(({ level, message }) => level === 'error' || /status 5\d\d/.test(message));

  /** Leaves when the model server got the call, and waits until the backend has noticed. */
  const leave = async (path: string, options: { accept?: string; call: string; body: object }) => {
    model.fail({ kind: 'hang' }, { when: request => request.path === options.call });
    const leaving = new AbortController();
    const asked = model.nextRequest();
    const { accept, body } = options;
    const answer = backend
      .fetch(path, { accept, body, signal: leaving.signal })
      .then(response => response.text());
    answer.catch(() => {});
    let request = await asked;
    while (request.path !== options.call) request = await model.nextRequest();
    leaving.abort();
    await expect(answer).rejects.toThrow('aborted');
    await expect(request.closed).resolves.toEqual({ early: true });
    await pollUntil(
      "The end of the client's connection",
      10_000,
      async () => backend.audit.every(({ outcome }) => outcome !== undefined) || undefined,
    );
  };

  it.each([
    ['JSON, while its question is embedded', undefined, '/api/embed'],
    ['JSON, while the model writes', undefined, '/api/chat'],
    ['events, while its question is embedded', 'text/event-stream', '/api/embed'],
    ['events, while the model writes', 'text/event-stream', '/api/chat'],
  ])('is no fault of the backend: %s', async (name, accept, call) => {
    await leave('/', { accept, call, body: { prompt: `${PROMPT} ${name}` } });
    // Whatever was to be logged of the one before was logged when this one is answered.
    await backend.fetch('/search', { body: { query: 'ledger' } });
    expect(faults()).toEqual([]);
  });

  it('is no fault of the backend: a search', async () => {
    await leave('/search', { call: '/api/embed', body: { query: `${PROMPT} at all` } });
    await backend.fetch('/search', { body: { query: 'ledger' } });
    expect(faults()).toEqual([]);
  });

  it('does not hide the faults of those who stay', async () => {
    model.fail({ kind: 'status', status: 500 }, { times: 10 });
    const response = await backend.fetch('/', { body: { prompt: `${PROMPT} today` } });
    expect(response.status).toBe(502);
    expect(faults()).not.toEqual([]);
  });
});

function recordingLogger(log: LogLine[]) {
  const write = (level: string) => (message: string) => {
    log.push({ level, message });
  };
  const logger: LoggerService = {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    child: () => logger,
  };
  return createServiceFactory({
    service: coreServices.rootLogger,
    deps: {},
    factory: () => logger,
  });
}
