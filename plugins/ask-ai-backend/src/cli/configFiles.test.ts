import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configFiles } from './configFiles';

describe('configFiles', () => {
  let root: string;
  const inRoot = (...files: string[]) => files.map(file => join(root, file));

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'ask-ai-'));
    writeFileSync(join(root, 'app-config.yaml'), '');
  });

  afterEach(() => rmSync(root, { recursive: true }));

  it('begins with app-config.yaml', () => {
    expect(configFiles([], root)).toEqual(inRoot('app-config.yaml'));
  });

  it('lays the given files over app-config.yaml and app-config.local.yaml, in their order', () => {
    writeFileSync(join(root, 'app-config.local.yaml'), '');
    expect(configFiles(['b.yaml', 'a.yaml'], root)).toEqual(
      inRoot('app-config.yaml', 'app-config.local.yaml', 'b.yaml', 'a.yaml'),
    );
  });

  it('reads a file once, where it was asked for', () => {
    expect(configFiles(['a.yaml', './app-config.yaml'], root)).toEqual(
      inRoot('a.yaml', 'app-config.yaml'),
    );
  });

  it('keeps an absolute path', () => {
    expect(configFiles(['/etc/a.yaml'], root).at(-1)).toBe('/etc/a.yaml');
  });
});
