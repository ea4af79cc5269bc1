import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is made here, and what others wrote. */
const SKIPPED = ['.git', '.data', 'node_modules', 'dist', 'dist-types', 'coverage'];

/**
 * The files of a repository, by path from its root, sorted.
 *
 * @param {string} folder
 * @returns {string[]}
 */
export function listFiles(folder, prefix = '') {
  return readdirSync(join(folder, prefix), { withFileTypes: true })
    .filter(({ name }) => !SKIPPED.includes(name))
    .flatMap(entry => {
      const path = `${prefix}${entry.name}`;
      return entry.isDirectory() ? listFiles(folder, `${path}/`) : entry.isFile() ? [path] : [];
    })
    .sort();
}

/** @param {string} path */
export const isYaml = path => /\.ya?ml$/.test(path);

/** @param {string} path */
export const isCompose = path => /(^|\/)(docker-)?compose[^/]*\.ya?ml$/.test(path);

/** @param {string} path */
export const isKubernetes = path => path.startsWith('k8s/') && isYaml(path);

/**
 * By name or, without an extension, by the first line.
 *
 * @param {string} folder
 * @param {string} path
 */
export function isShell(folder, path) {
  if (/\.(ba)?sh$/.test(path)) {
    return true;
  }
  const isNamed = /\.[^/]+$/.test(path.replace(/^.*\//, '').replace(/^\./, ''));
  return !isNamed && /^#!.*\b(ba|da)?sh\b/.test(readFileSync(join(folder, path), 'utf8'));
}
