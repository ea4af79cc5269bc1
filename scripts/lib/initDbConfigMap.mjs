import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.mjs';

export const CONFIG_MAP = 'k8s/init-db-configmap.yaml';

/** The file {@link CONFIG_MAP}, which holds scripts/init-db.sh for the server in Kubernetes. */
export function initDbConfigMap() {
  const script = readFileSync(join(root, 'scripts/init-db.sh'), 'utf8');
  const indented = script.trimEnd().replace(/^(?=.)/gm, '    ');
  return `# Generated from scripts/init-db.sh: npm run k8s:generate
apiVersion: v1
kind: ConfigMap
metadata:
  name: ask-ai-init-db
  labels:
    app.kubernetes.io/name: postgresql
    app.kubernetes.io/part-of: ask-ai
data:
  10-ask-ai.sh: |
${indented}
`;
}
