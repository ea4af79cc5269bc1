import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONFIG_MAP, initDbConfigMap } from '../initDbConfigMap.mjs';
import { root } from '../root.mjs';
import { findComposeProblems } from './composeProblems.mjs';
import { findKubernetesProblems } from './kubernetesProblems.mjs';
import { isCompose, isKubernetes, isShell, isYaml, listFiles } from './listFiles.mjs';
import { findShellProblems } from './shellProblems.mjs';
import { readYaml } from './yamlProblems.mjs';

/**
 * Every YAML and shell file of a repository.
 *
 * @returns {Promise<{ counts: Record<string, number>, problems: string[] }>}
 */
export async function lintFiles(folder = root) {
  const files = listFiles(folder);
  const textOf = path => readFileSync(join(folder, path), 'utf8');
  const yaml = files.filter(isYaml).map(path => ({ path, ...readYaml(path, textOf(path)) }));
  const shell = files.filter(path => isShell(folder, path));
  const compose = yaml.filter(({ path }) => isCompose(path));
  const manifests = yaml
    .filter(({ path }) => isKubernetes(path))
    .flatMap(({ path, values }) => values.map(value => ({ path, value })));
  const problems = yaml.flatMap(({ problems: found }) => found);
  for (const path of shell) {
    problems.push(...(await findShellProblems(path, textOf(path))));
  }
  problems.push(
    ...compose.flatMap(({ path, values }) =>
      values.flatMap(value => findComposeProblems(path, value)),
    ),
    ...(await findKubernetesProblems(manifests)),
  );
  if (files.includes(CONFIG_MAP) && textOf(CONFIG_MAP) !== initDbConfigMap()) {
    problems.push(`${CONFIG_MAP}: is not what scripts/init-db.sh makes: npm run k8s:generate`);
  }
  return {
    counts: {
      yaml: yaml.length,
      shell: shell.length,
      compose: compose.length,
      manifests: manifests.length,
    },
    problems,
  };
}
