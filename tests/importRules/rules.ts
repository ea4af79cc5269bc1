import { posix } from 'node:path';
import { buildGraph, findCycles, type ImportGraph, PACKAGES, packageName } from './importGraph';
import type { SourceFile } from './parseSource';

/** What a package may load at run time, by its folder: the dependencies in its package.json. */
export type Dependencies = ReadonlyMap<string, readonly string[]>;

const BACKEND = 'plugins/ask-ai-backend/src';
const MAX_LINES = 300;

/** Our packages that each package may import. */
const PACKAGE_IMPORTS: Record<string, readonly string[]> = {
  'plugins/ask-ai-common': [],
  'plugins/ask-ai-node': ['plugins/ask-ai-common'],
  'plugins/ask-ai-backend': ['plugins/ask-ai-common', 'plugins/ask-ai-node'],
};

const LEAVES = ['types.ts', 'errors.ts'];

/** What each folder of the backend may import of the backend. Files at its top wire all of them. */
const FOLDER_IMPORTS: Record<string, readonly string[]> = {
  'types.ts': [],
  'errors.ts': [],
  lib: ['lib', ...LEAVES],
  database: ['database', 'lib', ...LEAVES],
  pipeline: ['pipeline', 'lib', ...LEAVES],
  services: ['services', 'database', 'lib', ...LEAVES],
  providers: ['providers', 'lib', ...LEAVES],
  collectors: ['collectors', 'lib', ...LEAVES],
};

/** Folders of implementations, which do not know each other. */
const IMPLEMENTATIONS = ['services', 'providers', 'collectors'];

/** The one implementation whose work is to name the others. */
const FACTORY = 'VectorStoreFactory';

const DATABASE_PACKAGES = /^(pg|pg-.+|postgres|drizzle-orm|drizzle-kit|@electric-sql\/.+)$/;
const DATABASE_CODE = /\/src\/(database\/|services\/PgVectorStore)/;
const CONFIG_PACKAGES = /^@backstage\/config(-loader)?$/;
const CONFIG_CODE = /\/src\/(cli\/|services\/ConfigService|services\/config\/)/;

/** Others' packages in the use cases: contracts and text, no vendor. */
const PIPELINE_PACKAGES = /^(node:.+|@backstage\/.+|zod|markdown-it|html-to-text)$/;

/** Every way in which product files break the rules of docs/ARCHITECTURE.md, one line each. */
export function findViolations(files: readonly SourceFile[], dependencies: Dependencies): string[] {
  const graph = buildGraph(files);
  return [
    ...findCycles(graph).map(cycle => `import cycle: ${cycle.join(' -> ')}`),
    ...files.flatMap(file => [
      ...checkSize(file),
      ...checkEnvironment(file),
      ...checkPackages(file, dependencies),
      ...checkImports(file.path, graph),
    ]),
  ];
}

function checkSize({ path, lineCount }: SourceFile): string[] {
  return lineCount > MAX_LINES ? [`${path}: ${lineCount} lines, at most ${MAX_LINES}`] : [];
}

function checkEnvironment({ path, readsEnvironment }: SourceFile): string[] {
  return readsEnvironment && !CONFIG_CODE.test(path)
    ? [`${path}: reads process.env, which only ConfigService and the command line may`]
    : [];
}

function checkPackages({ path, specifiers }: SourceFile, dependencies: Dependencies): string[] {
  const declared = dependencies.get(packageFolder(path)) ?? [];
  return specifiers
    .filter(specifier => !specifier.startsWith('.'))
    .flatMap(specifier => {
      const name = packageName(specifier);
      const faults = [
        DATABASE_PACKAGES.test(name) &&
          !DATABASE_CODE.test(path) &&
          'only src/database and PgVectorStore know the database driver',
        CONFIG_PACKAGES.test(name) &&
          !CONFIG_CODE.test(path) &&
          'only ConfigService and the command line read configuration',
        path.startsWith(`${BACKEND}/pipeline/`) &&
          !PACKAGES.has(name) &&
          !PIPELINE_PACKAGES.test(name) &&
          'the pipeline knows no vendor',
        !name.startsWith('node:') &&
          !declared.includes(name) &&
          'it is not among the dependencies of the package.json next to it',
      ];
      return faults.filter(Boolean).map(fault => `${path}: imports ${specifier}, but ${fault}`);
    });
}

function checkImports(path: string, graph: ImportGraph): string[] {
  return (graph.get(path) ?? []).flatMap(target => {
    const faults = [
      !mayImportPackage(path, target) && 'its package may not',
      packageFolder(path) === packageFolder(target) && checkFolders(path, target),
      /\/src\/testing\//.test(target) && 'that is for tests',
    ];
    return faults.filter(Boolean).map(fault => `${path}: imports ${target}, but ${fault}`);
  });
}

function mayImportPackage(path: string, target: string): boolean {
  const [from, to] = [packageFolder(path), packageFolder(target)];
  return from === to || (PACKAGE_IMPORTS[from]?.includes(to) ?? true);
}

function checkFolders(path: string, target: string): string | false {
  if (!path.startsWith(`${BACKEND}/`)) {
    return false;
  }
  const [from, to] = [topOf(path), topOf(target)];
  const allowed = FOLDER_IMPORTS[from];
  if (allowed && !allowed.includes(to)) {
    return `${from} may import only ${allowed.join(', ') || 'nothing of ours'}`;
  }
  return IMPLEMENTATIONS.includes(from) && from === to && checkSiblings(path, target);
}

/**
 * An implementation is a file named like its class. It may use functions beside it, and the
 * sub-folder that bears a part of its name; nobody beside it may use it.
 */
function checkSiblings(path: string, target: string): string | false {
  const [from, to] = [path, target].map(file => file.slice(`${BACKEND}/${topOf(file)}/`.length));
  if (from === undefined || to === undefined || from.startsWith(FACTORY)) {
    return false;
  }
  const folder = posix.dirname(to);
  if (folder === '.') {
    return /^[A-Z]/.test(to) && 'siblings do not import each other';
  }
  const isOwn = posix.dirname(from) === folder || from.toLowerCase().includes(folder.toLowerCase());
  return !isOwn && `${folder}/ belongs to another`;
}

/** First part of the path below the backend's src: a folder or a file. */
function topOf(path: string): string {
  return path.slice(BACKEND.length + 1).split('/')[0] ?? '';
}

function packageFolder(path: string): string {
  return path.split('/').slice(0, 2).join('/');
}
