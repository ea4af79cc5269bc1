import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { isInRange } from './nodeVersion.mjs';
import { root } from './root.mjs';
import { say } from './say.mjs';

/** A first installation took 100 s on two cores; a slow line and no binaries take longer. */
const INSTALL_TIMEOUT_MS = 30 * 60_000;

/**
 * Makes sure that the packages of package-lock.json are in node_modules, before anything that needs
 * them is loaded.
 *
 * @throws Error that says what to do.
 */
export async function ensureInstalled() {
  checkNodeVersion();
  if (!whyInstall(root)) {
    return;
  }
  await withLock(
    `install ${root}`,
    {
      timeoutMs: INSTALL_TIMEOUT_MS,
      onWait: pid => say(`Waiting for process ${pid}, which installs the packages`),
    },
    () => {
      // Another process may have done it while this one waited.
      const reason = whyInstall(root);
      if (reason) {
        install(reason);
      }
    },
  );
}

/**
 * Why the packages must be installed, or `undefined` when they need not.
 *
 * @param {string} directory root of a repository
 */
export function whyInstall(directory) {
  // npm writes this file last, so that a broken-off installation lacks it.
  const installed = join(directory, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) {
    return 'node_modules is missing or incomplete';
  }
  const isStale =
    statSync(installed).mtimeMs < statSync(join(directory, 'package-lock.json')).mtimeMs;
  return isStale ? 'node_modules is older than package-lock.json' : undefined;
}

function checkNodeVersion() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  if (!isInRange(process.versions.node, engines.node)) {
    throw new Error(
      `This is Node ${process.versions.node}, and ask-ai needs ${engines.node}. ` +
        'Install one of these (https://nodejs.org/en/download) and run the command again.',
    );
  }
}

/** @param {string} reason */
function install(reason) {
  say(`${reason}: installing the packages with npm ci (one to two minutes)`);
  const startedAt = Date.now();
  // With NODE_ENV=production npm would leave out what the scripts need.
  const { status, error } = spawnSync('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    throw new Error(
      `npm ci failed (${error?.message ?? `exit code ${status}`}); its messages are above. Usual causes: ` +
        'no network or a proxy that npm does not know (npm config set proxy), or no compiler where a package ' +
        'has no binary for this system (Debian: apt-get install build-essential python3). Then run the command again.',
    );
  }
  say(`Installed in ${Math.round((Date.now() - startedAt) / 1000)} s`);
}
