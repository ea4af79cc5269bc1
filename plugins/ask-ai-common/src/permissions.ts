import { createPermission } from '@backstage/plugin-permission-common';

/** Asking questions and searching. What is found is narrowed to what the caller may read. */
export const askAiQuestionAskPermission = createPermission({
  name: 'askAi.question.ask',
  attributes: { action: 'read' },
});

/** Reading the state of the index: its size, runs and failures. */
export const askAiIndexReadPermission = createPermission({
  name: 'askAi.index.read',
  attributes: { action: 'read' },
});

/** Starting and cancelling runs, removing and exporting what is indexed, reading unanswered questions. */
export const askAiIndexManagePermission = createPermission({
  name: 'askAi.index.manage',
  attributes: { action: 'update' },
});

/** Every permission of ask-ai. Which entities a caller finds is decided by `catalog.entity.read`. */
export const askAiPermissions = [
  askAiQuestionAskPermission,
  askAiIndexReadPermission,
  askAiIndexManagePermission,
];
