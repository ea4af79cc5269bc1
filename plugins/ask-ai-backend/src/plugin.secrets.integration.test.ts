import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { query } from '../../../tests/services/connect';
import { pollUntil } from '../../../tests/services/poll';
import { freePort } from '../../../tests/services/ports';
import { createTestDatabase, type TestDatabase } from '../../../tests/services/testDatabase';
import { encryptText, generateKey } from './lib/encryptedText';
import { DEV_BACKEND, DEV_TOKEN, devBackendConfig } from './testing/devBackendConfig';

const COMMAND_LINE = resolve(__dirname, 'cli/main.ts');
/** Of a process on a machine that is busy with other things. */
const PATIENCE_MS = 60_000;

/** A backend and the command line, in processes of their own, at the most talkative level. */
describe('everything that is printed and answered', { timeout: 240_000 }, () => {
  const key = generateKey();
  const password = `sesame-${randomBytes(8).toString('hex')}`;
  const apiKey = `sk-${randomBytes(16).toString('hex')}`;
  const role = `ask_ai_secret_${randomBytes(4).toString('hex')}`;
  const printed: string[] = [];
  let database: TestDatabase;
  let connectionString: string;
  let directory: string;
  let configFile: string;
  let url: string;
  let stop: () => Promise<void>;

  const launch = (file: string, args: string[]) => {
    const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
      env: {
        ...process.env,
        NODE_ENV: 'development',
        LOG_LEVEL: 'debug',
        ASK_AI_SECRET_KEY: key,
        ASK_AI_TOKEN: DEV_TOKEN,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => printed.push(text));
    }
    const ended = new Promise<void>(done => child.once('close', () => done()));
    return { child, ended };
  };

  const run = (...words: string[]) =>
    launch(COMMAND_LINE, [...words, '--config', configFile]).ended;

  const call = async (path: string, body?: object) => {
    const response = await fetch(`${url}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${DEV_TOKEN}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    printed.push(await response.text());
    return response.status;
  };

  beforeAll(async () => {
    database = await createTestDatabase({ name: 'secrets' });
    await query(
      database.url,
      `create role ${role} login password 'another'`,
      `grant all on schema ${database.schema} to ${role}`,
    );
    const target = new URL(database.url);
    target.username = role;
    target.password = password;
    connectionString = target.href;
    directory = mkdtempSync(join(tmpdir(), 'ask-ai-secrets-'));
    const port = await freePort();
    url = `http://127.0.0.1:${port}/api/ask-ai`;
    configFile = join(directory, 'config.yaml');
    writeFileSync(
      configFile,
      JSON.stringify(
        devBackendConfig(port, {
          // Nothing listens there.
          openai: { apiKey, baseUrl: 'http://127.0.0.1:1/v1' },
          llm: { provider: 'openai' },
          defaultModel: 'test-model',
          vectorStore: {
            type: 'postgresql',
            postgresql: { connectionString: encryptText(connectionString, key) },
          },
        }),
      ),
    );
    const { child, ended } = launch(DEV_BACKEND, ['--config', configFile]);
    stop = async () => {
      child.kill('SIGTERM');
      await ended;
    };
  });

  afterAll(async () => {
    rmSync(directory, { recursive: true });
    await query(database.url, `drop owned by ${role} cascade`, `drop role ${role}`);
    await database.drop();
  });

  it('holds no secret, whether logins are refused or work', async () => {
    const health = () => call('/health').catch(() => undefined);
    await pollUntil('A backend', PATIENCE_MS, async () =>
      (await health()) === 503 ? true : undefined,
    );
    const visit = async () => {
      await call('/index/status');
      await call('/search', { query: 'payments' });
      await call('/', { prompt: 'Who owns payments?' });
      await call('/index/export');
      await run('doctor');
      await run('doctor', '--json');
      await run('migrate', '--status');
    };
    await visit();
    expect(printed.join('')).toContain('28P01');

    await query(database.url, `alter role ${role} password '${password}'`);
    await pollUntil('An open store', PATIENCE_MS, async () =>
      (await call('/search', { query: 'payments' })) === 200 ? true : undefined,
    );
    await visit();
    await stop();

    const everything = printed.join('\n');
    // It was at the most talkative level, and each of them had a say.
    expect(everything).toMatch(/debug/);
    expect(everything.length).toBeGreaterThan(5_000);
    const secrets = { key, password, apiKey, connectionString };
    for (const [name, secret] of Object.entries(secrets)) {
      expect({ name, isPrinted: everything.includes(secret) }).toEqual({ name, isPrinted: false });
    }
  });
});
