import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exitCodeOf } from './exitCodes';
import { openStore } from './openStore';
import { createTerminal } from './terminal';
import { createWarningsLogger } from './warningsLogger';

const silent = { write: () => {} };
const logger = createWarningsLogger(createTerminal(silent, silent, {}));

/** Nothing listens on port 1. */
const NOBODY = 'postgresql://backstage:hunter2@127.0.0.1:1/vectors';

describe('openStore', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ask-ai-'));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  const open = (vectorStore: object, variables: Record<string, string> = {}) => {
    const config = JSON.stringify({ askAi: { vectorStore } });
    writeFileSync(join(directory, 'app-config.yaml'), config);
    return openStore({}, { variables, directory, logger });
  };

  it('says that a store in memory has no vector index', async () => {
    await expect(open({ type: 'memory' })).rejects.toThrow('there is no vector index');
  });

  it('makes no embedded store where there is none', async () => {
    const folder = join(directory, 'store');
    await expect(open({ type: 'embedded', embedded: { directory: folder } })).rejects.toThrow(
      `There is no embedded store in ${folder}`,
    );
    expect(existsSync(folder)).toBe(false);
    expect(existsSync(`${folder}.lock`)).toBe(false);
  });

  it('prefers the database of the environment, and tells no password of it', async () => {
    const error = await open({ type: 'memory' }, { ASK_AI_DATABASE_URL: NOBODY }).catch(e => e);
    expect(error.message).toContain('127.0.0.1:1/vectors (ECONNREFUSED)');
    expect(error.message).not.toContain('hunter2');
    expect(exitCodeOf(error)).toBe(4);
  });
});
