import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { whyInstall } from './ensureInstalled.mjs';

let directory;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ask-ai-install-test-'));
  writeAt('package-lock.json', 2_000);
  mkdirSync(join(directory, 'node_modules'));
});

afterEach(() => rmSync(directory, { recursive: true }));

function writeAt(path, seconds) {
  writeFileSync(join(directory, path), '{}');
  utimesSync(join(directory, path), seconds, seconds);
}

it('installs after an installation that broke off', () => {
  expect(whyInstall(directory)).toContain('missing');
});

it('installs when the lock file is newer', () => {
  writeAt('node_modules/.package-lock.json', 1_000);
  expect(whyInstall(directory)).toContain('older');
});

it('does not install when everything is there', () => {
  writeAt('node_modules/.package-lock.json', 3_000);
  expect(whyInstall(directory)).toBeUndefined();
});
