import type {
  AuthService,
  DiscoveryService,
  LoggerService,
  RootConfigService,
  UrlReaderService,
} from '@backstage/backend-plugin-api';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import type { Collector } from 'backstage-plugin-ask-ai-node';
import { CatalogCollector } from './collectors/CatalogCollector';
import { mergeCollectors } from './collectors/mergeCollectors';
import { TechDocsCollector } from './collectors/TechDocsCollector';
import type { ConfigService } from './services/ConfigService';

/** One collector for each source: those that the configuration turns on, and what modules bring. */
export function createCollectors(
  config: ConfigService,
  services: {
    auth: AuthService;
    catalog: CatalogService;
    discovery: DiscoveryService;
    logger: LoggerService;
    reader: UrlReaderService;
    rootConfig: RootConfigService;
  },
  others: readonly Collector[] = [],
): Collector[] {
  const { sources, kinds, excludeKinds, filter } = config.getIndexConfig();
  const options = {
    ...services,
    config: services.rootConfig,
    kinds,
    excludedKinds: excludeKinds,
    filter,
  };
  return mergeCollectors([
    ...(sources.catalog ? [CatalogCollector.create(options)] : []),
    ...(sources.techdocs ? [TechDocsCollector.create(options)] : []),
    ...others,
  ]);
}
