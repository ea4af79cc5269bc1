import { describeQuestionStore } from '../testing/describeQuestionStore';
import { InMemoryQuestionStore } from './InMemoryQuestionStore';

describeQuestionStore('InMemoryQuestionStore', {
  create: async () => InMemoryQuestionStore.create(),
});
