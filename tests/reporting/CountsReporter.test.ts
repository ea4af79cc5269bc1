import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(__dirname, '..', '..');

function runFixture(...filters: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--root',
      join(__dirname, 'fixture'),
      // Without it, vite writes a node_modules beside the fixture's configuration.
      '--configLoader=runner',
      ...filters,
    ],
    { encoding: 'utf8' },
  );
  return { status, output: stdout.trimEnd() + stderr };
}

describe('CountsReporter', () => {
  it('counts a failed test, a repeated title and a broken file, on the last line', () => {
    const { status, output } = runFixture();
    expect(status).toBe(1);
    expect(output).toContain(
      'repeated.fixture.ts: two tests have the title "has the title of another"',
    );
    expect(output).toMatch(/\n3 passed, 3 failed(\n|$)/);
  });

  it('fails for a repeated title alone', () => {
    const { status, output } = runFixture('repeated');
    expect(status).toBe(1);
    expect(output).toMatch(/\n2 passed, 1 failed/);
  });

  it('passes when nothing failed, and counts no skipped test', () => {
    const { status, output } = runFixture('passing');
    expect(output).toMatch(/\n1 passed, 0 failed/);
    expect(status).toBe(0);
  });

  it('fails when there is no test', () => {
    const { status, output } = runFixture('nothing-of-that-name');
    expect(status).toBe(1);
    expect(output).toMatch(/\n0 passed, 1 failed/);
  });
});
