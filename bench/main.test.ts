import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SUITES } from './suites';

/** Runs `npm run bench -- ARGUMENTS` without npm. */
function bench(...args: string[]): Promise<{ code: unknown; output: string }> {
  return new Promise(resolve => {
    execFile(
      process.execPath,
      ['--import', 'tsx', join(__dirname, 'main.ts'), ...args],
      (error, stdout, stderr) => resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
}

describe('npm run bench', () => {
  it('explains every suite and how long it takes', async () => {
    const { code, output } = await bench('--help');
    expect(code).toBe(0);
    for (const { name, takes } of SUITES) {
      expect(output).toContain(name);
      expect(output).toContain(takes);
    }
  });

  it.each([
    [['serch'], SUITES.map(({ name }) => name).join(', ')],
    [['search', '--rows', '0'], 'whole number'],
    [[], 'missing required argument'],
  ])('refuses %j and says what there is', async (args, message) => {
    const { code, output } = await bench(...args);
    expect(code).toBe(1);
    expect(output).toContain(message);
    expect(output).toContain('--help');
  });
});

describe('the raw floor', () => {
  it.each(['floor.ts', 'floorLoad.ts'])('imports nothing of the product: %s', file => {
    const source = readFileSync(join(__dirname, file), 'utf8');
    const imported = [...source.matchAll(/from '([^']+)'/g)].map(([, specifier]) => specifier);
    expect(
      imported.filter(
        specifier => !/^(pg|pg-copy-streams|node:.+|\.\/floor)$/.test(specifier ?? ''),
      ),
    ).toEqual([]);
  });
});
