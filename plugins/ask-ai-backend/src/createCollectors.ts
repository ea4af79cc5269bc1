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
import { TechDocsCollector } from './collectors/TechDocsCollector';
import type { ConfigService } from './services/ConfigService';

/** The collectors of the sources that the configuration turns on. */
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
): Collector[] {
  const { sources, kinds, excludeKinds, filter } = config.getIndexConfig();
  const options = {
    ...services,
    config: services.rootConfig,
    kinds,
    excludedKinds: excludeKinds,
    filter,
  };
  return [
    ...(sources.catalog ? [CatalogCollector.create(options)] : []),
    ...(sources.techdocs ? [TechDocsCollector.create(options)] : []),
  ];
}
