import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * Which configuration files are read, in their order. Backstage's loader reads `app-config.yaml` and
 * `app-config.local.yaml` only when no file is given; here, the given files lie over these two.
 *
 * @param given - relative to `root`.
 * @returns absolute paths; those that are not given exist.
 */
export function configFiles(given: readonly string[], root: string): string[] {
  const overlays = given.map(file => resolve(root, file));
  const base = ['app-config.yaml', 'app-config.local.yaml']
    .map(file => resolve(root, file))
    .filter(file => existsSync(file) && !overlays.includes(file));
  return [...base, ...overlays];
}
