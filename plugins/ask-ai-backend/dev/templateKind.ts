import { createBackendModule } from '@backstage/backend-plugin-api';
import {
  getCompoundEntityRef,
  parseEntityRef,
  RELATION_OWNED_BY,
  RELATION_OWNER_OF,
} from '@backstage/catalog-model';
import {
  type CatalogProcessor,
  catalogProcessingExtensionPoint,
  processingResult,
} from '@backstage/plugin-catalog-node';

/**
 * Lets the catalog take software templates. In a portal the scaffolder does that, which is far too
 * much to install for one entity of the sample catalog.
 */
export const templateKind = createBackendModule({
  pluginId: 'catalog',
  moduleId: 'template-kind',
  register(env) {
    env.registerInit({
      deps: { catalog: catalogProcessingExtensionPoint },
      async init({ catalog }) {
        catalog.addProcessor(templateProcessor);
      },
    });
  },
});

const templateProcessor: CatalogProcessor = {
  getProcessorName: () => 'TemplateKindProcessor',

  validateEntityKind: async entity =>
    entity.kind === 'Template' && entity.apiVersion === 'scaffolder.backstage.io/v1beta3',

  postProcessEntity: async (entity, _location, emit) => {
    const owner = entity.spec?.owner;
    if (entity.kind === 'Template' && typeof owner === 'string') {
      const template = getCompoundEntityRef(entity);
      const group = parseEntityRef(owner, {
        defaultKind: 'Group',
        defaultNamespace: template.namespace,
      });
      emit(processingResult.relation({ source: template, type: RELATION_OWNED_BY, target: group }));
      emit(processingResult.relation({ source: group, type: RELATION_OWNER_OF, target: template }));
    }
    return entity;
  },
};
