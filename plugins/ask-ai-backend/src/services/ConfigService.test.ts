import { ConfigReader } from '@backstage/config';
import type { JsonObject } from '@backstage/types';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../errors';
import { ConfigService } from './ConfigService';

function read(askAi: JsonObject | undefined, others: JsonObject = {}): ConfigService {
  return ConfigService.fromConfig(new ConfigReader({ ...others, ...(askAi && { askAi }) }));
}

function problemsOf(askAi: JsonObject): string[] {
  try {
    read(askAi);
  } catch (error) {
    if (error instanceof ConfigurationError) {
      return error.problems;
    }
    throw error;
  }
  return [];
}

const POSTGRESQL = {
  host: 'db.example.com',
  database: 'backstage_vectors',
  user: 'backstage',
  password: 'hunter2',
};

describe('ConfigService', () => {
  it('needs no configuration at all', () => {
    const config = read(undefined).getConfig();
    expect(config).toMatchObject({
      ollamaBaseUrl: 'http://localhost:11434',
      allowedModels: [],
      embedding: { provider: 'lexical' },
      llm: { provider: 'extractive' },
      defaultTopK: 5,
      schedule: { minutes: 30 },
      index: { excludeKinds: ['Location', 'User'], sources: { catalog: true, techdocs: true } },
      vectorStore: { type: 'embedded', embedded: { directory: './.data/ask-ai' } },
    });
  });

  it('reads the example of the plan', () => {
    const service = read({
      defaultModel: 'llama3.2',
      embeddingModel: 'all-minilm',
      vectorStore: {
        type: 'postgresql',
        postgresql: { ...POSTGRESQL, port: 5432, ssl: false, maxConnections: 20 },
      },
    });
    expect(service.getVectorStoreType()).toBe('postgresql');
    expect(service.getPostgresConfig()).toEqual({
      ...POSTGRESQL,
      port: 5432,
      ssl: false,
      auth: 'password',
      minConnections: 0,
      maxLifetimeSeconds: 3_600,
      keepAlive: true,
      applicationName: 'ask-ai',
      maxConnections: 20,
      idleTimeoutMillis: 30_000,
      connectionTimeoutMillis: 5_000,
      slowQueryMillis: 1_000,
      statementTimeoutMillis: 10_000,
      queryTimeoutMillis: 12_000,
      index: { recallTarget: 0.95 },
    });
    expect(service.getEmbeddingConfig()).toMatchObject({ provider: 'ollama', model: 'all-minilm' });
    expect(service.getLanguageModelConfig()).toMatchObject({
      provider: 'ollama',
      defaultModel: 'llama3.2',
      allowedModels: ['llama3.2'],
    });
  });

  it('accepts numbers and booleans as the strings that environment substitution gives', () => {
    const config = read({
      defaultTopK: '7',
      index: { maxVanishedRatio: '0.25', sources: { techdocs: 'false' } },
      vectorStore: { postgresql: { ...POSTGRESQL, port: '6543', ssl: 'true' } },
    }).getConfig();
    expect(config.defaultTopK).toBe(7);
    expect(config.index.maxVanishedRatio).toBe(0.25);
    expect(config.index.sources.techdocs).toBe(false);
    expect(config.vectorStore.postgresql).toMatchObject({ port: 6543, ssl: true });
  });

  it('takes a key without a value for one that is not given', () => {
    expect(read({ defaultTopK: null, index: null }).getDefaultTopK()).toBe(5);
  });

  it.each([
    [{ defaultTopK: 0 }, 'Expected askAi.defaultTopK to be an integer from 1 to 100, got 0'],
    [{ defaultTopK: 1.5 }, 'Expected askAi.defaultTopK to be an integer from 1 to 100, got 1.5'],
    [{ defaultTopK: 'x' }, 'Expected askAi.defaultTopK to be an integer from 1 to 100, got "x"'],
    [{ defaultTopK: [] }, 'Expected askAi.defaultTopK to be an integer from 1 to 100, got a list'],
    [{ index: 3 }, 'Expected askAi.index to be an object, got 3'],
    [
      { index: { kinds: [''] } },
      'Expected askAi.index.kinds[0] to be the kind of an entity, got an empty string',
    ],
    [
      { index: { sources: { catalog: 'maybe' } } },
      'Expected askAi.index.sources.catalog to be true or false, got "maybe"',
    ],
    [
      { ollamaBaseUrl: 'ftp://me:secret@server' },
      'Expected askAi.ollamaBaseUrl to be a URL that begins with http:// or https://, got "ftp://***@server"',
    ],
    [
      { vectorStore: { type: 'postgres' } },
      'Expected askAi.vectorStore.type to be one of memory, embedded, postgresql, got "postgres"',
    ],
    [
      { index: { redact: { patterns: [{ name: 'ticket', regex: '(' }] } } },
      'Expected askAi.index.redact.patterns[0].regex to be a regular expression of JavaScript, got "("',
    ],
    [
      { index: { redact: { patterns: [{ name: 'ticket', regex: 'x*' }] } } },
      'Expected askAi.index.redact.patterns[0].regex to be a regular expression that does not match an empty text, got "x*"',
    ],
    [
      { chunkSize: 100, chunkOverlap: 100 },
      'Expected askAi.chunkOverlap to be less than askAi.chunkSize, which is 100, got 100',
    ],
    [
      { defaultModel: 'a', allowedModels: ['b', 'c'] },
      'Expected askAi.allowedModels to contain askAi.defaultModel, which is "a", got "b", "c"',
    ],
  ])('refuses %j', (askAi, problem) => {
    expect(problemsOf(askAi as JsonObject)).toEqual([problem]);
  });

  it.each([
    [{ defaultTopk: 3 }, 'Unknown key askAi.defaultTopk; did you mean askAi.defaultTopK?'],
    [
      { vectorStore: { postgresql: { ...POSTGRESQL, usr: 'x' } } },
      'Unknown key askAi.vectorStore.postgresql.usr; did you mean askAi.vectorStore.postgresql.user?',
    ],
    [
      { vectorStore: { postgresql: { ...POSTGRESQL, ssl: { caa: 'x' } } } },
      'Unknown key askAi.vectorStore.postgresql.ssl.caa; did you mean askAi.vectorStore.postgresql.ssl.ca?',
    ],
    [{ colour: 'blue' }, 'Unknown key askAi.colour'],
  ])('refuses the unknown key of %j', (askAi, problem) => {
    expect(problemsOf(askAi as JsonObject)).toEqual([problem]);
  });

  it.each([
    [
      { llm: { provider: 'ollama' } },
      'askAi.llm.provider is ollama, which needs a model: set askAi.defaultModel',
    ],
    [
      { embedding: { provider: 'openai' }, openai: { apiKey: 'k' } },
      'askAi.embedding.provider is openai, which needs a model: set askAi.embeddingModel',
    ],
    [
      { llm: { provider: 'openai' }, defaultModel: 'gpt' },
      'askAi.llm.provider is openai: set askAi.openai.apiKey',
    ],
    [{ allowedModels: ['a'] }, 'askAi.allowedModels is given, but no model answers'],
  ])('says what to set for %j', (askAi, beginning) => {
    const problems = problemsOf(askAi as JsonObject);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(beginning);
  });

  it('tells all problems at once', () => {
    const problems = problemsOf({
      defaultTopK: 0,
      defaultModl: 'x',
      chunkSize: 50,
      chunkOverlap: 60,
      embedding: { provider: 'ollama' },
      vectorStore: { postgresql: { host: 'db', port: 0 } },
    });
    expect(problems.map(problem => /askAi[\w.]*/.exec(problem)?.[0])).toEqual(
      expect.arrayContaining([
        'askAi.defaultTopK',
        'askAi.defaultModl',
        'askAi.chunkOverlap',
        'askAi.embedding.provider',
        'askAi.vectorStore.postgresql.port',
        'askAi.vectorStore.postgresql.database',
        'askAi.vectorStore.postgresql.user',
        'askAi.vectorStore.postgresql.password',
      ]),
    );
    expect(problems).toHaveLength(8);
  });

  it('does not miss a model that is given but wrong', () => {
    expect(problemsOf({ llm: { provider: 'ollama' }, defaultModel: 3 })).toEqual([
      'Expected askAi.defaultModel to be the name of a language model, got 3',
    ]);
  });

  it('leaves the models aside when the providers that need none are chosen', () => {
    const service = read({
      defaultModel: 'llama3.2',
      embeddingModel: 'all-minilm',
      llm: { provider: 'extractive' },
      embedding: { provider: 'lexical' },
    });
    expect(service.getEmbeddingConfig().model).toBeUndefined();
    expect(service.getLanguageModelConfig()).toMatchObject({
      defaultModel: undefined,
      allowedModels: [],
    });
  });

  it('never prints a secret', () => {
    const secret = 'x-secret-x';
    const printed = [
      problemsOf({ openai: { apiKey: [secret], headers: secret, proxy: `ftp://${secret}` } }),
      problemsOf({ openai: secret }),
      problemsOf({ vectorStore: { postgresql: `postgresql://u:${secret}@host/db` } }),
      problemsOf({ vectorStore: secret }),
      problemsOf({
        vectorStore: {
          postgresql: { ...POSTGRESQL, password: secret, connectionString: secret },
        },
      }),
      problemsOf({ vectorStore: { postgresql: { ...POSTGRESQL, ssl: secret } } }),
      problemsOf({ vectorStore: { postgresql: { ...POSTGRESQL, ssl: { key: [secret] } } } }),
    ].flat();
    expect(printed.length).toBeGreaterThan(8);
    expect(printed.join('\n')).not.toContain(secret);
    expect(printed).toContain(
      'Expected askAi.vectorStore.postgresql.password to be left out, because connectionString is given, got a string',
    );
  });

  it('excludes no kind of its own when the kinds are listed', () => {
    expect(read({ index: { kinds: ['User'] } }).getIndexConfig()).toMatchObject({
      kinds: ['User'],
      excludeKinds: [],
    });
  });

  it('drops the slash at the end of a URL', () => {
    expect(read({ ollamaBaseUrl: 'http://ollama:11434/' }).getOllamaBaseUrl()).toBe(
      'http://ollama:11434',
    );
  });
});
