import type {
  IndexStatus,
  RunCounts,
  RunSummary,
  VectorIndexStatus,
} from 'backstage-plugin-ask-ai-common';
import { formatRows, type Row } from './formatRows';
import { duration, part, plural } from './formatUnits';
import { describeDefinition } from './indexDefinition';
import type { Terminal } from './terminal';

/** The state of the index, for a person. */
export function formatStatus(status: IndexStatus, terminal: Terminal, now: Date): string {
  const rows: Row[] = [['Index', `${status.state}, ${sizeOf(status)}`]];
  if (status.embeddingSpace) {
    const { provider, model, dimensions } = status.embeddingSpace;
    rows.push(['Embedded by', `${provider}/${model}, ${dimensions} dimensions`]);
  }
  if (status.vectorIndex) {
    rows.push(['Vector index', vectorIndexOf(status.vectorIndex, terminal)]);
  }
  if (status.progress) {
    rows.push(['This run', `${progressOf(status)}; ${countsOf(status.progress)}`]);
  }
  if (status.lastRun) {
    rows.push(['Last run', lastRunOf(status.lastRun, terminal, now)]);
  }
  if (status.nextRun) {
    rows.push(['Next run', `in ${duration(Date.parse(status.nextRun) - now.getTime())}`]);
  }
  const failures = status.failures.map(
    ({ entityId, source, reason }) =>
      `  ${terminal.style('red', '✗')} ${entityId} (${source}): ${reason}`,
  );
  if (failures.length > 0) {
    rows.push(['Failures', String(failures.length)]);
  }
  return [...formatRows(rows, terminal), ...failures].join('\n');
}

function vectorIndexOf(index: VectorIndexStatus, terminal: Terminal): string {
  const { measured, recallTarget } = index;
  const recall = measured
    ? `recall ${part(measured.recall)} of ${plural(measured.rows, 'row')} (target ${part(recallTarget)})`
    : `recall not measured yet (target ${part(recallTarget)})`;
  return [
    ...(index.state === 'valid' ? [] : [terminal.style('yellow', index.state)]),
    describeDefinition(index),
    `ef_search ${index.efSearch}`,
    recall,
  ].join(', ');
}

/** What to know of an answer from an index that is not complete; `undefined` when it is. */
export function formatIndexNote(status: IndexStatus): string | undefined {
  if (status.state === 'running' && status.lastRun?.outcome !== 'completed') {
    return `The index is being built (${progressOf(status)}); ask again for more.`;
  }
  if (status.vectorCount > 0) {
    return undefined;
  }
  if (status.state === 'running') {
    return `The index is empty and being built (${progressOf(status)}); ask again in a moment.`;
  }
  if (status.lastRun?.outcome === 'failed') {
    return `The index is empty: the last run failed. ${status.lastRun.reason ?? ''}`.trim();
  }
  return status.lastRun
    ? 'The index is empty: the last run found no documents. Check the catalog and askAi.index.'
    : 'The index is empty: the first run begins when the catalog has settled. Ask again in a moment.';
}

function sizeOf({ vectorCount, entityCount }: IndexStatus): string {
  return `${plural(vectorCount, 'chunk')} of ${plural(entityCount, 'entity', 'entities')}`;
}

function progressOf({ progress }: IndexStatus): string {
  if (!progress) {
    return 'just begun';
  }
  const left = progress.estimatedSecondsLeft;
  return `${plural(progress.documents.seen, 'document')} so far${
    left === undefined ? '' : `, about ${duration(left * 1_000)} left`
  }`;
}

function lastRunOf(run: RunSummary, terminal: Terminal, now: Date): string {
  const colours = { completed: 'green', failed: 'red', cancelled: 'yellow' } as const;
  const finishedAt = Date.parse(run.finishedAt);
  return [
    `${terminal.style(colours[run.outcome], run.outcome)} ${duration(now.getTime() - finishedAt)} ago`,
    `after ${duration(finishedAt - Date.parse(run.startedAt))} (${run.trigger})`,
    ...(run.reason ? [`because: ${run.reason}`] : []),
  ]
    .join(' ')
    .concat(`; ${countsOf(run)}`);
}

function countsOf({ documents, chunks }: RunCounts): string {
  return (
    `documents: ${documents.seen} seen, ${documents.changed} changed, ${documents.removed} removed, ${documents.failed} failed; ` +
    `chunks: ${chunks.embedded} embedded, ${chunks.skipped} skipped, ${chunks.removed} removed`
  );
}
