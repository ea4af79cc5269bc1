import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type Document, ROOT } from './documents';

/** Names in inline code that look like files and are none of this repository, each with what it is. */
const NOT_HERE: Record<string, string> = {
  'drizzle/down/NNNN_name.sql': 'stands for any of them',
  'app-config.local.yaml': 'the reader makes it',
  'packages/backend/src/index.ts': 'of the portal of the reader',
  'plugins/ask-ai-backend/src/providers/AcmeEmbeddingProvider.ts': 'the reader writes it',
  'AcmeLanguageModel.ts': 'the reader writes it',
  'x.test.ts': 'stands for any test',
  'x.ts': 'stands for any file',
  'x.integration.test.ts': 'stands for any test',
};

/** Every file that is in the repository, or would be with the next commit. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
}).split('\n');

/** Links that lead nowhere, a line each. Addresses of other hosts are not looked at. */
export function linkProblems(document: Document, documents: readonly Document[]): string[] {
  return document.links
    .filter(link => !/^https?:/.test(link))
    .flatMap(link => {
      const [path = '', anchor] = decodeURI(link).split('#');
      const target =
        path === '' ? document.path : relative(ROOT, resolve(ROOT, dirname(document.path), path));
      if (!existsSync(join(ROOT, target))) {
        return [`${link}: there is no ${target}`];
      }
      if (document.path.startsWith('docs/') && !target.startsWith('docs/')) {
        return [`${link}: leads out of docs, where TechDocs can't follow`];
      }
      const anchors = documents.find(({ path }) => path === target)?.anchors;
      return anchor === undefined || anchors?.includes(anchor)
        ? []
        : [`${link}: ${target} has no heading #${anchor}`];
    });
}

/** Inline code that names a file or folder which is not there. */
export function namedFileProblems({ codes }: Document): string[] {
  return codes
    .filter(code => /^[\w./-]+\.(ts|mjs|sh|yaml|md|jsonl?|sql|svg)$/.test(code) || isFolder(code))
    .filter(code => !(code in NOT_HERE) && !isThere(code))
    .map(code => `\`${code}\`: no file ends so`);
}

/** Entries of the list above that no document names any more. */
export function unusedExceptions(documents: readonly Document[]): string[] {
  const codes = new Set(documents.flatMap(document => document.codes));
  return Object.keys(NOT_HERE).filter(name => !codes.has(name));
}

function isFolder(code: string): boolean {
  return /^(docs|scripts|plugins|examples|k8s|drizzle|bench|tests)\/[\w./-]*$/.test(code);
}

/** Files may be named by the end of their paths, as readers know them. */
function isThere(code: string): boolean {
  return (
    existsSync(join(ROOT, code)) || files.some(file => file === code || file.endsWith(`/${code}`))
  );
}
