import { posix } from 'node:path';
import type { SourceFile } from './parseSource';

/** Our packages: folder under plugins/ by package name. */
export const PACKAGES: ReadonlyMap<string, string> = new Map([
  ['backstage-plugin-ask-ai-common', 'plugins/ask-ai-common'],
  ['backstage-plugin-ask-ai-node', 'plugins/ask-ai-node'],
  ['backstage-plugin-ask-ai-backend', 'plugins/ask-ai-backend'],
]);

/** Paths of our files by the path of the file that imports them. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

export function buildGraph(files: readonly SourceFile[]): ImportGraph {
  const paths = new Set(files.map(file => file.path));
  return new Map(
    files.map(file => [
      file.path,
      file.specifiers.flatMap(specifier => resolveModule(file.path, specifier, paths) ?? []),
    ]),
  );
}

/** Our file that a specifier leads to, `undefined` for another's package. */
function resolveModule(
  from: string,
  specifier: string,
  paths: ReadonlySet<string>,
): string | undefined {
  const base = specifier.startsWith('.')
    ? posix.join(posix.dirname(from), specifier)
    : entryPoint(specifier);
  if (base === undefined) {
    return undefined;
  }
  return [base, `${base}.ts`, `${base}/index.ts`].find(path => paths.has(path));
}

/** Without the extension: `src/index` of one of our packages, or `src/x` for its sub-path `x`. */
function entryPoint(specifier: string): string | undefined {
  const name = packageName(specifier);
  const folder = PACKAGES.get(name);
  return folder && posix.join(folder, 'src', specifier.slice(name.length + 1) || 'index');
}

/** `@scope/name` or `name`, without a path inside the package. */
export function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Each import cycle once, as the paths on the way round. */
export function findCycles(graph: ImportGraph): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      cycles.push([...trail.slice(start), path]);
      return;
    }
    if (done.has(path)) {
      return;
    }
    for (const next of graph.get(path) ?? []) {
      walk(next, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of graph.keys()) {
    walk(path, []);
  }
  return cycles;
}
