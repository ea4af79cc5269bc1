import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from '../root.mjs';
import { lintFiles } from './lintFiles.mjs';

let folder;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ask-ai-lint-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

async function problemsOf(files) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return (await lintFiles(folder)).problems.sort();
}

const COMPOSE = readFileSync(join(root, 'docker-compose.yaml'), 'utf8');
const STATEFUL_SET = readFileSync(join(root, 'k8s/postgresql-deployment.yaml'), 'utf8');
const OTHERS = Object.fromEntries(
  ['init-db-configmap', 'postgresql-configmap', 'postgresql-secret', 'postgresql-pvc'].map(name => [
    `k8s/${name}.yaml`,
    readFileSync(join(root, `k8s/${name}.yaml`), 'utf8'),
  ]),
);

describe('the lint of files', { timeout: 60_000 }, () => {
  it('finds nothing wrong with our own, and misses none', async () => {
    const { counts, problems } = await lintFiles();
    expect(problems).toEqual([]);
    expect(counts.compose).toBe(2);
    expect(counts.shell).toBeGreaterThanOrEqual(3);
    expect(counts.manifests).toBeGreaterThanOrEqual(9);
    expect(counts.yaml).toBeGreaterThanOrEqual(25);
  });

  it.each([
    ['a key that is there twice', 'a: 1\nb: 2\na: 3\n', /a.yaml:3: Map keys must be unique/],
    ['an indentation that fits nothing', 'a:\n  b: 1\n c: 2\n', /a.yaml:\d: /],
    ['a quote that does not end', 'a: "b\n', /a.yaml:\d: Missing closing/],
    ['an alias of nothing', 'a: *b\n', /a.yaml/],
    ['a tag that nobody knows', 'a: !secret b\n', /a.yaml:1: Unresolved tag/],
    ['no content', '', /a.yaml: has no content/],
  ])('finds %s in YAML', async (_, text, problem) => {
    expect(await problemsOf({ 'a.yaml': text })).toEqual([expect.stringMatching(problem)]);
  });

  it.each([
    ['a.sh', '#!/bin/sh\nif true; the\n  echo\nfi\n', 'SC1050'],
    ['.ci/run', '#!/usr/bin/env bash\nfor f in $(ls); do echo "$f"; done\n', 'SC2045'],
    ['b.sh', '#!/bin/bash\nrm -rf $1/x\n', 'SC2086'],
  ])(
    'finds what is wrong in %s, also after a script that can not be parsed',
    async (path, text, code) => {
      const problems = await problemsOf({ '0.sh': 'echo "', [path]: text });
      expect(problems).toContainEqual(expect.stringContaining(`${path}:`));
      expect(problems.join('\n')).toContain(code);
    },
  );

  it.each([
    ['a key that there is not', ['restart:', 'restarts:'], /restarts/],
    ['an image without a version', [':0.8.6-pg17-bookworm', ':latest'], /names no version/],
    ['a volume that is not declared', ['\n  postgres-data:\n', '\n'], /volume postgres-data/],
    ['a value of another type', ['retries: 12', 'retries: [1]'], /retries/],
  ])('finds %s in a Compose file', async (_, [from, to], problem) => {
    expect(COMPOSE).toContain(from);
    const problems = await problemsOf({ 'docker-compose.yaml': COMPOSE.replace(from, to) });
    expect(problems.join('\n')).toMatch(problem);
  });

  it.each([
    ['a field that there is not', ['readinessProbe:', 'readynessProbe:'], /readynessProbe/],
    [
      'a field in the wrong place',
      ['replicas: 1', 'replicas: 1\n  hostNetwork: true'],
      /hostNetwork/,
    ],
    ['a number that is a text', ['containerPort: 5432', 'containerPort: "5432"'], /containerPort/],
    ['a missing field', ['  selector:\n    matchLabels:', '  x:\n    y:'], /selector/],
    [
      'a kind that there is not',
      ['kind: StatefulSet', 'kind: StatefullSet'],
      /no kind StatefullSet/,
    ],
    ['a ConfigMap that nothing makes', ['name: ask-ai-init-db', 'name: other'], /ConfigMap\/other/],
  ])('finds %s in a manifest', async (_, [from, to], problem) => {
    expect(STATEFUL_SET).toContain(from);
    const problems = await problemsOf({ ...OTHERS, 'k8s/a.yaml': STATEFUL_SET.replace(from, to) });
    expect(problems.join('\n')).toMatch(problem);
  });

  it('finds a ConfigMap that is not the script', async () => {
    const path = 'k8s/init-db-configmap.yaml';
    expect(await problemsOf({ [path]: OTHERS[path].replace('set -euo', 'set -eo') })).toEqual([
      expect.stringContaining('npm run k8s:generate'),
    ]);
  });
});
