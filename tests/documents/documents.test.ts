import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readConfig } from '../../plugins/ask-ai-backend/src/cli/readConfig';
import { encryptText, generateKey } from '../../plugins/ask-ai-backend/src/lib/encryptedText';
import { ConfigService } from '../../plugins/ask-ai-backend/src/services/ConfigService';
import { commandProblems, isCall } from './commandProblems';
import { type Block, blocksOf, parseDocument, ROOT, readDocuments } from './documents';
import { HEADINGS } from './headings';
import { linkProblems, namedFileProblems, unusedExceptions } from './pathProblems';
import { shellCommands } from './shellCommands';

const documents = readDocuments();
const byPath = documents.map(document => [document.path, document] as const);

/** Languages of blocks; a block without one would be looked at by nobody. */
const LANGUAGES = ['sh', 'yaml', 'json', 'ts', 'sql', 'text', 'mermaid'];

const folder = mkdtempSync(join(tmpdir(), 'ask-ai-documents-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the documents', () => {
  it.each(Object.entries(HEADINGS))('%s has the headings of the plan', (path, expected) => {
    const headings = documents.find(document => document.path === path)?.headings;
    expect(expected.filter(heading => !headings?.includes(heading))).toEqual([]);
  });

  it('have blocks of languages that are checked', () => {
    const languages = documents.flatMap(({ blocks }) => blocks.map(({ language }) => language));
    expect(languages.filter(language => !LANGUAGES.includes(language))).toEqual([]);
  });

  it.each(byPath)('%s has links that lead somewhere', (_, document) => {
    expect(linkProblems(document, documents)).toEqual([]);
  });

  it.each(byPath)('%s names files that are there', (_, document) => {
    expect(namedFileProblems(document)).toEqual([]);
  });

  it('name each file that is none', () => {
    expect(unusedExceptions(documents)).toEqual([]);
  });

  it('are all in the navigation of TechDocs', () => {
    const { nav } = parse(readFileSync(join(ROOT, 'mkdocs.yml'), 'utf8'));
    const listed = nav.map((entry: Record<string, string>) => `docs/${Object.values(entry)[0]}`);
    const inDocs = documents.map(({ path }) => path).filter(path => path.startsWith('docs/'));
    expect(listed.toSorted()).toEqual(inDocs.toSorted());
  });

  it('tell the keys of the configuration in CONFIG.md alone', () => {
    const rows = documents
      .filter(({ path }) => path !== 'docs/CONFIG.md')
      .filter(({ path }) =>
        /^\| `(vectorStore|embedding|llm|openai|index|cache|rateLimit)\.[\w.]+` +\|/m.test(
          readFileSync(join(ROOT, path), 'utf8'),
        ),
      );
    expect(rows.map(({ path }) => path)).toEqual([]);
  });
});

describe('a block of shell', () => {
  it.each(blocksOf(documents, 'sh'))(
    '%s is shell, of commands that are there',
    async (_, block) => {
      const { status, stderr } = spawnSync('bash', ['-n'], { input: block.text, encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '']);
      const commands = shellCommands(block.text);
      expect(commands).not.toEqual([]);
      const problems = await Promise.all(commands.map(commandProblems));
      expect(problems.flat()).toEqual([]);
    },
  );
});

describe('a command in a sentence', () => {
  it.each(byPath)('of %s is there', async (_, { codes }) => {
    const commands = codes
      .filter(code => /^(npm (run|start|test|ci|install)|npx|ask-ai)( |$)/.test(code))
      .filter(code => code !== 'npm run')
      .flatMap(shellCommands);
    const problems = await Promise.all(commands.map(commandProblems));
    // A sentence may name a command without calling it.
    const isWrong = (problem: string) => !problem.includes('missing required argument');
    expect(problems.flat().filter(isWrong)).toEqual([]);
  });
});

describe('an HTTP call in a sentence', () => {
  it.each(byPath)('of %s is in the OpenAPI document', (_, { codes }) => {
    const calls = codes.flatMap(code => [...code.matchAll(/\b(GET|POST|DELETE) (\/[\w/.-]*)/g)]);
    expect(calls.map(([call]) => call).filter(call => !isCall(call))).toEqual([]);
  });
});

describe('a block of YAML', () => {
  const blocks = blocksOf(documents, 'yaml');

  it.each(blocks)('%s is YAML', (_, { text }) => {
    expect(parseAllDocuments(text).flatMap(({ errors }) => errors)).toEqual([]);
  });

  it.each(blocks.filter(([, { text }]) => 'askAi' in parse(text)))(
    '%s is a configuration that the plugin takes',
    async (_, block) => {
      const { config, variables } = await readAsBackend(block);
      // Throws, with all problems, where the plugin does not take it.
      expect(ConfigService.fromConfig(config, {}, variables).getVectorStoreType()).toBeDefined();
    },
  );

  /** As a backend would read it, with a value for each variable and a file where it names one. */
  async function readAsBackend({ text }: Block) {
    const key = generateKey();
    mkdirSync(join(folder, 'certificates'), { recursive: true });
    writeFileSync(join(folder, 'certificates/ca.pem'), '-----BEGIN CERTIFICATE-----');
    const file = join(folder, 'app-config.test.yaml');
    const encrypted = encryptText('postgresql://backstage@localhost/vectors', key);
    writeFileSync(file, text.replace('enc:v1:...', encrypted));
    const named = [...text.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => [name, 'a value']);
    const variables = { ...Object.fromEntries(named), ASK_AI_SECRET_KEY: key };
    return { config: await readConfig([file], variables, folder), variables };
  }
});

describe('a block of JSON', () => {
  it.each(blocksOf(documents, 'json'))('%s is JSON', (_, { text }) => {
    expect(JSON.parse(text)).toBeTypeOf('object');
  });
});

describe('the checks', () => {
  it.each([
    ['npm run nothing', 'no such script'],
    ['npm run ask-ai -- nothing', 'unknown command'],
    ['npm run ask-ai -- status --nothing', 'unknown option'],
    ['ask-ai search --top-k 0 words', 'argument'],
    ['npm run bench -- search --nothing', 'takes no --nothing'],
    ['npm run db:generate -- --nothing x', 'takes no --nothing'],
    ['X=1 scripts/nothing.sh > out', 'there is no scripts/nothing.sh'],
    ['docker compose -f examples/nothing.yaml up | jq', 'there is no examples/nothing.yaml'],
    ['curl http://localhost:7007/api/ask-ai/nothing', 'there is no GET /api/ask-ai/nothing'],
    ["curl http://localhost:7007/api/ask-ai/ \\\n  -d '{prompt}'", 'no JSON'],
    ['nonsense --help', 'no program'],
  ])('find what is wrong with: %s', async (command, problem) => {
    const problems = await Promise.all(shellCommands(command).map(commandProblems));
    expect(problems.flat().join('\n')).toContain(problem);
  });

  it('read a document by its blocks, codes, links and headings', () => {
    const document = parseDocument(
      'docs/a.md',
      '# A `b`\n\n[x](b.md#no) ![y](no.svg)\n\n- a\n\n  ```sh\n  ls\n  ```\n',
    );
    expect(document).toEqual({
      path: 'docs/a.md',
      headings: ['A `b`'],
      anchors: ['a-b'],
      blocks: [{ document: 'docs/a.md', line: 7, language: 'sh', text: 'ls\n' }],
      codes: ['b'],
      links: ['b.md#no', 'no.svg'],
    });
    expect(linkProblems(document, [document])).toEqual([
      'b.md#no: there is no docs/b.md',
      'no.svg: there is no docs/no.svg',
    ]);
    const other = { ...document, path: 'docs/index.md', links: ['#no', '../README.md'] };
    expect(linkProblems(other, [other])).toEqual([
      '#no: docs/index.md has no heading #no',
      "../README.md: leads out of docs, where TechDocs can't follow",
    ]);
    expect(namedFileProblems({ ...document, codes: ['noSuchFile.ts', 'schema.ts'] })).toHaveLength(
      1,
    );
  });
});
