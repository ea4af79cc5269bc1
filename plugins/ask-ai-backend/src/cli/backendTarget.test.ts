import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBackend } from './backendTarget';

const APP_CONFIG = `
app:
  baseUrl: https://portal.example.com/
backend:
  baseUrl: https://backend.example.com
  auth:
    externalAccess:
      - type: legacy
      - type: static
        options:
          token: \${THE_TOKEN}
          subject: cli
`;

describe('findBackend', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ask-ai-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  const withAppConfig = () => writeFileSync(join(directory, 'app-config.yaml'), APP_CONFIG);

  it('needs no configuration', async () => {
    expect(await findBackend({}, {}, directory)).toEqual({ url: 'http://localhost:7007' });
  });

  it('reads the configuration of Backstage', async () => {
    withAppConfig();
    expect(await findBackend({}, { THE_TOKEN: 'from-config' }, directory)).toEqual({
      url: 'https://backend.example.com',
      token: 'from-config',
      appUrl: 'https://portal.example.com',
    });
  });

  it('lays given files over it', async () => {
    withAppConfig();
    writeFileSync(join(directory, 'over.yaml'), 'backend:\n  baseUrl: http://other.example.com');
    expect(await findBackend({ config: ['over.yaml'] }, {}, directory)).toMatchObject({
      url: 'http://other.example.com',
      appUrl: 'https://portal.example.com',
    });
  });

  it('prefers options to the environment and that to the configuration', async () => {
    withAppConfig();
    const environment = { ASK_AI_URL: 'http://e.example.com/', ASK_AI_TOKEN: 'e' };
    expect(await findBackend({}, environment, directory)).toMatchObject({
      url: 'http://e.example.com',
      token: 'e',
    });
    const options = { url: 'http://o.example.com', token: 'o' };
    expect(await findBackend(options, environment, directory)).toMatchObject(options);
  });

  it.each([
    ['https://elsewhere.example.com', undefined],
    ['https://backend.example.com/', 'secret'],
    ['http://localhost:7008', 'secret'],
  ])('given %s, sends %s of the configured token', async (url, token) => {
    withAppConfig();
    expect((await findBackend({ url }, { THE_TOKEN: 'secret' }, directory)).token).toBe(token);
  });

  it.each([
    [{ config: ['missing.yaml'] }, /Can't read the configuration: .*missing\.yaml/],
    [{ url: 'localhost:7007' }, /Expected the URL of the backend to begin with http/],
  ])('refuses %j', async (options, message) => {
    await expect(findBackend(options, {}, directory)).rejects.toThrow(message);
  });
});
