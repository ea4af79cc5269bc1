import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import { packageName } from '../../tests/importRules/importGraph';
import { parseSource } from '../../tests/importRules/parseSource';
import type { Manifest } from './packPackages';

/** Everything that belongs into a package; what else is there is needless. */
const EXPECTED_FILES =
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/.+\.(cjs|esm)\.js(\.map)?|dist\/([^/]+|types\/[^/]+)\.d\.ts)$/;
const EXPECTED_IN_BACKEND =
  /^(config\.schema\.json|drizzle\/(down\/)?\d{4}_\w+\.sql|drizzle\/meta\/_journal\.json)$/;
const FOR_TESTS = /(^|[/.])(test|tests|testing|bench|dev|fixtures?|__\w+__)([/.]|$)/;

const IN_EVERY_PACKAGE = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];

/**
 * What is wrong with an unpacked package, one sentence each.
 *
 * @param folder - the unpacked package.
 * @param migrations - paths of the files that the backend must bring, such as `down/0001_x.sql`.
 */
export function findPackageProblems(folder: string, migrations: readonly string[]): string[] {
  const files = listFiles(folder, '');
  const manifest: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const isBackend = manifest.configSchema !== undefined;
  const required = [
    ...IN_EVERY_PACKAGE,
    ...entryFiles(manifest),
    ...(isBackend ? migrations.map(path => `drizzle/${path}`) : []),
  ];
  return [
    ...files
      .filter(file => !EXPECTED_FILES.test(file) && !(isBackend && EXPECTED_IN_BACKEND.test(file)))
      .map(file => `${file} has no place in the package`),
    ...files.filter(file => FOR_TESTS.test(file)).map(file => `${file} is for tests`),
    ...required.filter(file => !files.includes(file)).map(file => `${file} is missing`),
    ...findImportProblems(folder, files, manifest),
    ...findRangeProblems(manifest),
  ].map(problem => `${manifest.name}: ${problem}`);
}

/** Every file that package.json points to. */
function entryFiles({ main, module, types, bin, exports, configSchema }: Manifest): string[] {
  const targets = Object.values(exports ?? {}).flatMap(target =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  return [main, types, ...[module, configSchema].filter(path => path !== undefined)]
    .concat(Object.values(bin ?? {}), targets)
    .filter(path => !path.startsWith('@'))
    .map(path => posix.normalize(path));
}

/** What the built files import must be declared, and what is declared must be imported. */
function findImportProblems(folder: string, files: string[], manifest: Manifest): string[] {
  const imports = files
    .filter(file => /\.(js|d\.ts)$/.test(file))
    .flatMap(file =>
      parseSource(file, readFileSync(join(folder, file), 'utf8')).specifiers.map(specifier => ({
        file,
        specifier,
      })),
    );
  const outside = imports.filter(({ specifier }) => !specifier.startsWith('.'));
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  const used = new Set(outside.map(({ specifier }) => packageName(specifier)));
  return [
    ...imports.flatMap(({ file, specifier }) =>
      specifier.startsWith('.') && !isThere(files, posix.join(posix.dirname(file), specifier))
        ? [`${file} imports ${specifier}, which is missing`]
        : [],
    ),
    ...outside.flatMap(({ file, specifier }) =>
      declared.includes(packageName(specifier)) || isOfNode(specifier)
        ? []
        : [`${file} imports ${specifier}, which package.json does not declare`],
    ),
    ...Object.keys(manifest.dependencies)
      .filter(name => !used.has(name))
      .map(name => `package.json declares ${name}, which nothing imports`),
  ];
}

function isThere(files: string[], path: string): boolean {
  const declaration = path.replace(/\.js$/, '.d.ts');
  return files.includes(path) || files.includes(declaration) || files.includes(`${path}.d.ts`);
}

function isOfNode(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

/** A range that means something only inside of this repository. */
function findRangeProblems({ name, version, dependencies }: Manifest): string[] {
  return Object.entries(dependencies).flatMap(([dependency, range]) => {
    const isOurs = dependency.startsWith('backstage-plugin-ask-ai-');
    const isWrong = isOurs ? range !== `^${version}` : !/^[~^]?\d/.test(range);
    return isWrong ? [`${name} wants ${dependency} "${range}", which no registry has`] : [];
  });
}

/** All files below a folder, with forward slashes. */
export function listFiles(folder: string, below: string): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap(entry => {
    const path = posix.join(below, entry.name);
    return entry.isDirectory() ? listFiles(folder, path) : [path];
  });
}
