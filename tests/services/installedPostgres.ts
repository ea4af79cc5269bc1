import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findOnPath, isExecutable } from './findOnPath';

/** Where packages put servers: Debian and Ubuntu, Red Hat, Homebrew on both processors. */
const BASES = ['/usr/lib/postgresql', '/usr', '/opt/homebrew/opt', '/usr/local/opt'];

/** Oldest versions that ask-ai runs on. */
const OLDEST = { postgresql: 13, pgvector: [0, 8] } as const;

/**
 * Folder with the programs of the newest PostgreSQL on this machine that has pgvector 0.8 or newer
 * beside it, or `undefined`.
 */
export function findInstalledPostgres(): string | undefined {
  const found = [...onPath(), ...BASES.flatMap(binFolders)]
    .filter(folder => ['postgres', 'initdb'].every(name => isExecutable(join(folder, name))))
    .map(folder => ({ folder, version: majorVersion(folder) }))
    .filter(({ folder, version }) => version >= OLDEST.postgresql && hasPgvector(folder));
  return found.sort((a, b) => b.version - a.version)[0]?.folder;
}

function onPath(): string[] {
  const postgres = findOnPath('postgres');
  return postgres ? [dirname(realpathSync(postgres))] : [];
}

function binFolders(base: string): string[] {
  try {
    return readdirSync(base)
      .filter(name => /^(postgresql@|pgsql-)?\d+$/.test(name))
      .map(name => join(base, name, 'bin'));
  } catch {
    return [];
  }
}

function majorVersion(folder: string): number {
  const { stdout } = spawnSync(join(folder, 'postgres'), ['--version'], { encoding: 'utf8' });
  return Number(/\s(\d+)[.\s]/.exec(stdout ?? '')?.[1] ?? 0);
}

function hasPgvector(folder: string): boolean {
  const version = shareFolders(folder)
    .map(share => readControlFile(join(share, 'extension', 'vector.control')))
    .find(Boolean);
  if (!version) {
    return false;
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST.pgvector[0] || minor >= OLDEST.pgvector[1];
}

/** `pg_config` knows, but is often in a package of its own that is not installed. */
function shareFolders(folder: string): string[] {
  const { stdout } = spawnSync(join(folder, 'pg_config'), ['--sharedir'], { encoding: 'utf8' });
  const prefix = dirname(folder);
  return [
    stdout?.trim() ?? '',
    prefix.replace('/usr/lib/', '/usr/share/'),
    join(prefix, 'share'),
    join(prefix, 'share', 'postgresql'),
  ].filter(Boolean);
}

function readControlFile(file: string): string | undefined {
  try {
    return /default_version\s*=\s*'([^']+)'/.exec(readFileSync(file, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
