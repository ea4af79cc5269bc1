import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGES } from './importGraph';
import { parseSource, type SourceFile } from './parseSource';
import type { Dependencies } from './rules';

const ROOT = join(__dirname, '..', '..');

/** What runs in production: our packages' source without their tests. */
export function readProductFiles(): SourceFile[] {
  return [...PACKAGES.values()]
    .flatMap(folder => listFiles(`${folder}/src`))
    .filter(path => /\.tsx?$/.test(path) && !/\.test\.tsx?$|\/src\/testing\//.test(path))
    .map(path => parseSource(path, readFileSync(join(ROOT, path), 'utf8')));
}

/** What each of our packages declares that it needs at run time. */
export function readDependencies(): Dependencies {
  return new Map(
    [...PACKAGES.values()].map(folder => {
      const manifest = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
      const { dependencies, peerDependencies, optionalDependencies } = manifest;
      return [
        folder,
        Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies }),
      ];
    }),
  );
}

function listFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? listFiles(path) : [path];
  });
}
