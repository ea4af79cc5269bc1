import { join } from 'node:path';
import ts from 'typescript';
import { type Block, ROOT } from './documents';

/** What the text around a block gives it, by a line of the block. */
const SURROUNDINGS: [line: string, declarations: string][] = [
  [
    'new AskAiClient({ discoveryApi, fetchApi })',
    `declare const discoveryApi: { getBaseUrl(pluginId: string): Promise<string> };
     declare const fetchApi: { fetch: typeof fetch };
     declare const prompt: string;
     declare function show(text: string): void;`,
  ],
  [
    'new AskAiClient({ discoveryApi: discovery })',
    `import type { AuthService, DiscoveryService, HttpAuthService } from '@backstage/backend-plugin-api';
     import { AskAiClient } from 'backstage-plugin-ask-ai-common';
     declare const discovery: DiscoveryService;
     declare const auth: AuthService;
     declare const httpAuth: HttpAuthService;
     declare const request: Parameters<HttpAuthService['credentials']>[0];
     declare const prompt: string;`,
  ],
  [
    'new AcmeModel(settings)',
    `import type { LanguageModel } from 'backstage-plugin-ask-ai-node';
     declare const AcmeModel: new (settings: unknown) => LanguageModel;`,
  ],
  [
    'MyVectorStore.create(options)',
    `import type { IVectorStore } from 'backstage-plugin-ask-ai-node';
     import { describe, it } from 'vitest';
     declare const MyVectorStore: { create(options: unknown): Promise<IVectorStore> };`,
  ],
  [
    'isPermission(request.permission, askAiIndexManagePermission)',
    `import { AuthorizeResult, isPermission, type PolicyDecision } from '@backstage/plugin-permission-common';
     import type { PolicyQuery } from '@backstage/plugin-permission-node';
     declare const request: PolicyQuery;
     declare const user: unknown;
     declare function isAdmin(user: unknown): boolean;`,
  ],
  [
    "backend.add(import('backstage-plugin-ask-ai-backend'))",
    `import { createBackend } from '@backstage/backend-defaults';
     const backend = createBackend();`,
  ],
];

/**
 * What the compiler says of blocks, all in one program.
 *
 * @returns a line for each error, with the block's place.
 */
export function typeErrors(blocks: readonly Block[]): string[] {
  const sources = new Map(
    blocks.map((block, index) => [
      join(ROOT, 'plugins/ask-ai-backend/src', `snippet${index}.ts`),
      { block, text: sourceOf(block) },
    ]),
  );
  const configFile = join(ROOT, 'tsconfig.json');
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(configFile, ts.sys.readFile).config,
    { ...ts.sys, readDirectory: () => [] },
    ROOT,
  );
  const compilerOptions: ts.CompilerOptions = {
    ...options,
    noEmit: true,
    declaration: false,
    emitDeclarationOnly: false,
    noUnusedLocals: false,
  };
  const host = ts.createCompilerHost(compilerOptions);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = file => sources.has(file) || fileExists(file);
  host.readFile = file => sources.get(file)?.text ?? readFile(file);
  host.getSourceFile = (file, ...rest) => {
    const source = sources.get(file);
    return source
      ? ts.createSourceFile(file, source.text, ts.ScriptTarget.ES2022, true)
      : getSourceFile(file, ...rest);
  };
  const program = ts.createProgram([...sources.keys()], compilerOptions, host);
  return [...sources].flatMap(([file, { block }]) => {
    const source = program.getSourceFile(file);
    return [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ].map(
      ({ messageText }) =>
        `${block.document}:${block.line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
  });
}

/** A block that returns stands in a function. */
function sourceOf({ text }: Block): string {
  const declarations = SURROUNDINGS.find(([line]) => text.includes(line))?.[1] ?? '';
  const isBody = /^\s*return\b/m.test(text) && !text.includes('export default');
  const imports = text.match(/^import .*$/gm)?.join('\n') ?? '';
  const body = isBody
    ? `export function decide(): PolicyDecision | undefined {\n${text.replace(/^import .*$/gm, '')}\nreturn undefined;\n}`
    : text.replace(/^import .*$/gm, '');
  return `${declarations}\n${imports}\n${body}\nexport {};\n`;
}
