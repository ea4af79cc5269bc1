import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

/** A package as it would be published. */
export interface PackedPackage {
  name: string;
  /** From the root of the repository. */
  folder: string;
  tarball: string;
}

const PACKAGE_FOLDERS = ['plugins/ask-ai-common', 'plugins/ask-ai-node', 'plugins/ask-ai-backend'];

/**
 * Builds the packages and packs them as `npm publish` would.
 *
 * @param destination - the folder that gets the tarballs.
 */
export function packPackages(destination: string): PackedPackage[] {
  run(ROOT, 'run', 'build', '--silent');
  return PACKAGE_FOLDERS.map(folder => {
    const output = pack(join(ROOT, folder), destination);
    // The scripts of the package print before it.
    const [packed] = JSON.parse(output.slice(output.indexOf('[\n')));
    return { name: packed.name, folder, tarball: join(destination, packed.filename) };
  });
}

function pack(directory: string, destination: string): string {
  try {
    return run(directory, 'pack', '--json', '--pack-destination', destination);
  } catch (error) {
    // npm runs it only after success, and without it package.json stays as it is published.
    run(directory, 'run', 'postpack');
    throw error;
  }
}

/** What is read of a package.json. */
export interface Manifest {
  name: string;
  version: string;
  main: string;
  module?: string;
  types: string;
  bin?: Record<string, string>;
  exports?: Record<string, string | Record<string, string>>;
  configSchema?: string;
  dependencies: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

function run(directory: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: directory, encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(
      `npm ${args.join(' ')} in ${directory} ended with ${status}:\n${stdout}${stderr}`,
    );
  }
  return stdout;
}
