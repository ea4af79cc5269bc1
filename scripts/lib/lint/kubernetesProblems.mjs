import { join } from 'node:path';
import ts from 'typescript';
import { root } from '../root.mjs';

/** A file that is in no folder, whose imports are found from here. */
const CHECKED = join(root, 'kubernetes-manifests.ts');

/**
 * What the API server would refuse in manifests, as `kubectl apply --validate=strict` tells: what is missing
 * or malformed by the schemas of the Kubernetes API, and, by its types, fields that there are not.
 *
 * @param {{ path: string, value: any }[]} manifests
 * @returns {Promise<string[]>}
 */
export async function findKubernetesProblems(manifests) {
  const known = [];
  for (const manifest of manifests) {
    const Model = await findModel(manifest.value);
    if (Model) {
      known.push({ ...manifest, Model });
    }
  }
  return [
    ...manifests
      .filter(({ value }) => !known.some(manifest => manifest.value === value))
      .map(
        ({ path, value }) =>
          `${path}: no kind ${value?.kind} in ${value?.apiVersion} of the Kubernetes API`,
      ),
    ...known.flatMap(findByValidation),
    ...findByTypes(known),
    ...findMissing(known),
  ];
}

/** @param {any} value */
async function findModel(value) {
  try {
    return (
      await import(/* @vite-ignore */ `kubernetes-models/${value?.apiVersion}/${value?.kind}`)
    )[value.kind];
  } catch (error) {
    if (/^ERR_(MODULE_NOT_FOUND|PACKAGE_PATH_NOT_EXPORTED)$/.test(error.code)) {
      return undefined;
    }
    throw error;
  }
}

function findByValidation({ path, value, Model }) {
  try {
    new Model(value).validate();
    return [];
  } catch (error) {
    return [`${path}: ${value.kind} ${value.metadata?.name}: ${error.message}`];
  }
}

/** @param {{ path: string, value: any }[]} manifests */
function findByTypes(manifests) {
  if (manifests.length === 0) {
    return [];
  }
  const lines = manifests.map(
    ({ value }, position) =>
      `import type { I${value.kind} as T${position} } from 'kubernetes-models/${value.apiVersion}/${value.kind}'; export const m${position}: T${position} = ${JSON.stringify(value)};`,
  );
  const options = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  const text = lines.join('\n');
  host.fileExists = file => file === CHECKED || fileExists(file);
  host.readFile = file => (file === CHECKED ? text : readFile(file));
  host.getSourceFile = (file, ...rest) =>
    file === CHECKED
      ? ts.createSourceFile(file, text, ts.ScriptTarget.ES2022)
      : getSourceFile(file, ...rest);
  const program = ts.createProgram([CHECKED], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const line = file?.getLineAndCharacterOfPosition(start).line ?? 0;
    const { path, value } = manifests[line] ?? {};
    const message = ts.flattenDiagnosticMessageText(messageText, ' ');
    return `${path}: ${value?.kind} ${value?.metadata?.name}: ${message}`;
  });
}

/** ConfigMaps, Secrets and claims that a manifest names and none makes. */
function findMissing(manifests) {
  const made = new Set(manifests.map(({ value }) => `${value.kind}/${value.metadata?.name}`));
  const named = (value, found = []) => {
    for (const [key, inner] of Object.entries(value ?? {})) {
      const reference = REFERENCES[key];
      if (reference && typeof inner?.[reference.field] === 'string') {
        found.push(`${reference.kind}/${inner[reference.field]}`);
      }
      if (inner && typeof inner === 'object') {
        named(inner, found);
      }
    }
    return found;
  };
  return manifests.flatMap(({ path, value }) =>
    [...new Set(named(value))]
      .filter(reference => !made.has(reference))
      .map(
        reference =>
          `${path}: ${value.kind} ${value.metadata?.name} needs ${reference}, which no file makes`,
      ),
  );
}

/** @type {Record<string, { kind: string, field: string }>} */
const REFERENCES = {
  configMap: { kind: 'ConfigMap', field: 'name' },
  configMapRef: { kind: 'ConfigMap', field: 'name' },
  configMapKeyRef: { kind: 'ConfigMap', field: 'name' },
  secretRef: { kind: 'Secret', field: 'name' },
  secretKeyRef: { kind: 'Secret', field: 'name' },
  secret: { kind: 'Secret', field: 'secretName' },
  persistentVolumeClaim: { kind: 'PersistentVolumeClaim', field: 'claimName' },
};
