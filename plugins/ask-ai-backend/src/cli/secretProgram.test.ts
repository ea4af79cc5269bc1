import { describe, expect, it } from 'vitest';
import { recordTerminal } from '../testing/recordTerminal';
import { runCommandLine } from './runCommandLine';

async function run(words: string[], variables: Record<string, string> = {}, text = '') {
  const { terminal, printed, noted } = recordTerminal();
  const exitCode = await runCommandLine(words, {
    variables,
    directory: '/',
    terminal,
    input: (async function* () {
      yield Buffer.from(text);
    })(),
    signals: process,
    openStore: () => Promise.reject(new Error('opens no store')),
  });
  return { exitCode, printed: printed().trimEnd(), noted: noted() };
}

describe('ask-ai secret', () => {
  it('gives back what it encrypted, without the line break of the file', async () => {
    const key = (await run(['secret', 'generate-key'])).printed;
    const variables = { ASK_AI_SECRET_KEY: key };
    const { printed } = await run(['secret', 'encrypt'], variables, 'postgresql://u:p@h/d\n');
    expect(printed).toMatch(/^enc:v1:[\w-]+$/);
    expect(await run(['secret', 'decrypt'], variables, printed)).toMatchObject({
      exitCode: 0,
      printed: 'postgresql://u:p@h/d',
    });
  });

  it('tells what is wrong, and prints neither key nor text', async () => {
    const key = (await run(['secret', 'generate-key'])).printed;
    const other = (await run(['secret', 'generate-key'])).printed;
    const sealed = (await run(['secret', 'encrypt'], { ASK_AI_SECRET_KEY: key }, 'sesame')).printed;
    const failures = await Promise.all([
      run(['secret', 'decrypt'], { ASK_AI_SECRET_KEY: other }, sealed),
      run(['secret', 'decrypt'], { ASK_AI_SECRET_KEY: key }, 'sesame'),
      run(['secret', 'encrypt'], { ASK_AI_SECRET_KEY: 'sesame-key' }, 'sesame'),
      run(['secret', 'encrypt'], {}, 'sesame'),
      run(['secret', 'encrypt'], { ASK_AI_SECRET_KEY: key }),
      run(['secret', 'unknown']),
    ]);
    for (const { exitCode, printed, noted } of failures) {
      expect([exitCode, printed]).toEqual([2, '']);
      expect(noted).not.toMatch(/sesame/);
      expect([key, other].some(one => noted.includes(one))).toBe(false);
    }
    expect(failures.map(({ noted }) => noted).join()).toContain('ask-ai secret generate-key');
  });
});
