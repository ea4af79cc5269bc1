// npm run k8s:generate: puts scripts/init-db.sh into the ConfigMap of k8s/.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONFIG_MAP, initDbConfigMap } from './lib/initDbConfigMap.mjs';
import { root } from './lib/root.mjs';

writeFileSync(join(root, CONFIG_MAP), initDbConfigMap());
