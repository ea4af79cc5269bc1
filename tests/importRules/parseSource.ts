import ts from 'typescript';

/** A file of the repository, as far as the import rules look at it. */
export interface SourceFile {
  /** From the root of the repository, with forward slashes. */
  path: string;
  lineCount: number;
  /** What it imports or re-exports, types included, as written. */
  specifiers: string[];
  /** Whether it reads `process.env`. */
  readsEnvironment: boolean;
}

export function parseSource(path: string, text: string): SourceFile {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const specifiers = new Set<string>();
  let readsEnvironment = false;
  const visit = (node: ts.Node): void => {
    const specifier = importedModule(node);
    if (specifier !== undefined) {
      specifiers.add(specifier);
    }
    readsEnvironment ||= isEnvironment(node);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  const lineCount = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return { path, lineCount, specifiers: [...specifiers], readsEnvironment };
}

/** The module that a node imports, in any of the ways that TypeScript has. */
function importedModule(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return textOf(node.moduleSpecifier);
  }
  if (ts.isExternalModuleReference(node)) {
    return textOf(node.expression);
  }
  if (ts.isImportTypeNode(node)) {
    return ts.isLiteralTypeNode(node.argument) ? textOf(node.argument.literal) : undefined;
  }
  const isCall =
    ts.isCallExpression(node) &&
    (node.expression.kind === ts.SyntaxKind.ImportKeyword ||
      /^require(\.resolve)?$/.test(node.expression.getText()));
  return isCall ? textOf(node.arguments[0]) : undefined;
}

function textOf(node: ts.Node | undefined): string | undefined {
  return node && ts.isStringLiteralLike(node) ? node.text : undefined;
}

/** `process.env`, `process['env']`, `const { env } = process`, `import { env } from 'node:process'`. */
function isEnvironment(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) {
    return node.name.text === 'env' && isProcess(node.expression);
  }
  if (ts.isElementAccessExpression(node)) {
    return textOf(node.argumentExpression) === 'env' && isProcess(node.expression);
  }
  if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name)) {
    const isTaken = node.name.elements.some(element => boundName(element) === 'env');
    return isTaken && node.initializer !== undefined && isProcess(node.initializer);
  }
  if (ts.isImportSpecifier(node)) {
    const module = textOf(node.parent.parent.parent.moduleSpecifier);
    return boundName(node) === 'env' && /^(node:)?process$/.test(module ?? '');
  }
  return false;
}

function isProcess(node: ts.Expression): boolean {
  return /^(globalThis\.)?process$/.test(node.getText());
}

/** The name at the source of `{ name as other }` or `{ name: other }`. */
function boundName(element: ts.ImportSpecifier | ts.BindingElement): string {
  return (element.propertyName ?? element.name).getText();
}
