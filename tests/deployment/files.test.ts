import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readConfig } from '../../plugins/ask-ai-backend/src/cli/readConfig';
import { ConfigService } from '../../plugins/ask-ai-backend/src/services/ConfigService';
import { IMAGE } from '../services/container';

const ROOT = resolve(__dirname, '../..');
const EXAMPLES = join(ROOT, 'examples');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** A value for every variable that a text names. */
function variablesOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => [name, `value of ${name}`]),
  );
}

const configs = readdirSync(EXAMPLES).filter(name => name.startsWith('app-config'));

/** Of the files that are whole by themselves: where the index lies, and as whom. */
const EXPECTED: Record<string, object> = {
  'app-config-memory.yaml': { type: 'memory' },
  'app-config-embedded.yaml': { type: 'embedded' },
  'app-config-postgresql.yaml': {
    type: 'postgresql',
    postgresql: { user: 'backstage', ssl: true },
  },
  'app-config-postgresql-roles.yaml': {
    type: 'postgresql',
    postgresql: {
      user: 'ask_ai_writer',
      reader: { user: 'ask_ai_reader', password: 'value of ASK_AI_READER_PASSWORD' },
      admin: { user: 'ask_ai_admin', password: 'value of ASK_AI_ADMIN_PASSWORD' },
    },
  },
  'app-config-backstage-database.yaml': { type: 'postgresql', postgresql: undefined },
  'app-config-ollama.yaml': { type: 'embedded' },
  'app-config-openai.yaml': { type: 'embedded' },
  'app-config-docker.yaml': { type: 'postgresql', postgresql: { host: 'postgres' } },
  'app-config-docker-migrate.yaml': {
    type: 'postgresql',
    postgresql: { admin: { user: 'ask_ai_admin' } },
  },
};

describe('examples/app-config-*.yaml', () => {
  it('are all expected here', () => {
    expect(configs.sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(configs)('%s is a configuration that the plugin takes', async name => {
    const file = join(EXAMPLES, name);
    const variables = variablesOf(readFileSync(file, 'utf8'));
    const config = ConfigService.fromConfig(await readConfig([file], variables, '/nowhere'));
    const { type, postgresql } = config.getVectorStoreConfig();
    expect({ type, postgresql }).toMatchObject(EXPECTED[name] ?? {});
  });

  it.each(['app-config-ollama.yaml', 'app-config-openai.yaml'])(
    '%s names both models',
    async name => {
      const file = join(EXAMPLES, name);
      const root = await readConfig([file], variablesOf(readFileSync(file, 'utf8')), '/nowhere');
      const config = ConfigService.fromConfig(root);
      expect(config.getEmbeddingConfig().model).toBeDefined();
      expect(config.getLanguageModelConfig().defaultModel).toBeDefined();
    },
  );
});

describe('the files for containers', () => {
  it('run the server that the tests run on', () => {
    const compose = parse(read('docker-compose.yaml'));
    const [statefulSet] = parseAllDocuments(read('k8s/postgresql-deployment.yaml'));
    expect(compose.services.postgres.image).toBe(IMAGE);
    expect(statefulSet?.toJS().spec.template.spec.containers[0].image).toBe(IMAGE);
  });

  it('run scripts/init-db.sh, which is executable', () => {
    const { postgres } = parse(read('docker-compose.yaml')).services;
    expect(postgres.volumes).toContain(
      './scripts/init-db.sh:/docker-entrypoint-initdb.d/10-ask-ai.sh:ro',
    );
    expect(statSync(join(ROOT, 'scripts/init-db.sh')).mode & 0o111).not.toBe(0);
  });

  it('find every variable in .env.example', () => {
    const named = ['docker-compose.yaml', 'examples/docker-compose-full.yaml'].flatMap(path =>
      [...read(path).matchAll(/\$\{(\w+)/g)].map(([, name]) => name),
    );
    const given = [...read('.env.example').matchAll(/^(?:# )?(\w+)=/gm)].map(([, name]) => name);
    expect([...new Set(named)].sort()).toEqual([...new Set(given)].sort());
  });

  it('give the backend neither the password of the admin nor that of the superuser', () => {
    const { backend } = parse(read('examples/docker-compose-full.yaml')).services;
    expect(Object.keys(backend.environment)).not.toContain('ASK_AI_ADMIN_PASSWORD');
    const secrets = parseAllDocuments(read('k8s/postgresql-secret.yaml')).map(each => each.toJS());
    const ofBackend = secrets.find(({ metadata }) => metadata.name === 'ask-ai-database');
    expect(Object.keys(ofBackend.stringData)).toEqual([
      'ASK_AI_WRITER_PASSWORD',
      'ASK_AI_READER_PASSWORD',
    ]);
  });

  it('configure backend and migrations in Kubernetes so that the plugin takes it', async () => {
    const maps = parseAllDocuments(read('k8s/postgresql-configmap.yaml')).map(each => each.toJS());
    const files = maps.find(({ metadata }) => metadata.name === 'ask-ai-app-config').data;
    const texts = [files['app-config.ask-ai.yaml'], files['app-config.migrate.yaml']];
    const given = maps.find(({ metadata }) => metadata.name === 'ask-ai-database').data;
    const variables = { ...variablesOf(texts.join('\n')), ...given };
    const { askAi } = parse(
      texts[0].replace(/\$\{(\w+)\}/g, (_: string, name: string) => variables[name]),
    );
    const { admin } = parse(texts[1]).askAi.vectorStore.postgresql;
    const { ConfigReader } = await import('@backstage/config');
    const { postgresql } = askAi.vectorStore;
    const block = { ...askAi.vectorStore, postgresql: { ...postgresql, admin } };
    const config = ConfigService.fromConfig(new ConfigReader({ askAi: { vectorStore: block } }));
    expect(config.getPostgresConfig()).toMatchObject({
      host: 'postgresql',
      database: 'backstage_vectors',
      user: 'ask_ai_writer',
      reader: { user: 'ask_ai_reader' },
      admin: { user: expect.any(String) },
    });
  });
});
