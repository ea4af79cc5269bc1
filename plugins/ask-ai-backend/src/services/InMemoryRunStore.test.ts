import { describeRunStore } from '../testing/describeRunStore';
import { InMemoryRunStore } from './InMemoryRunStore';

describeRunStore('InMemoryRunStore', { create: async () => InMemoryRunStore.create() });
