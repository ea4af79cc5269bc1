import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import type {
  BuildOptions,
  CalibrationReport,
  RecallReport,
  SampleOptions,
} from '../database/vectorIndex/types';
import { BuildProgressLine } from './buildProgressLine';
import type { CommandContext } from './commands';
import { EXIT_CODES } from './exitCodes';
import {
  ADVICE_TO_CALIBRATE,
  adviceToRebuild,
  configurationConflict,
  formatPlans,
  formatRecall,
} from './formatIndex';
import { asJson } from './formatUnits';
import type { OpenStore } from './openStore';
import type { Terminal } from './terminal';

/** What a command on the database works with. */
export interface StoreContext {
  store: OpenStore;
  terminal: Terminal;
  json: boolean;
  signal: AbortSignal;
}

/** How the vector index is built anew. */
export type Rebuild =
  | { kind: 'tune' }
  | { kind: 'rebuild'; definition: Partial<VectorIndexDefinition> };

/**
 * PostgreSQL compares with this many vectors in about as long as a request takes anyway, so it is no
 * loss when it does.
 */
const SMALL_STORE_ROWS = 10_000;

/** @returns the exit code. */
export async function recallCommand(
  { calibrate, ...sample }: Omit<SampleOptions, 'signal'> & { calibrate: boolean },
  { store, terminal, json, signal }: StoreContext,
): Promise<number> {
  const options = { ...sample, signal };
  if (calibrate) {
    const report = await terminal.whileWaiting(
      'Looking for the smallest ef_search that reaches the target',
      store.index.calibrate(options),
    );
    return printCalibration(report, terminal, json);
  }
  const report = await terminal.whileWaiting(
    'Comparing searches by the index with exact ones',
    store.index.measureRecall(options),
  );
  const reachesTarget = report.recall >= report.recallTarget;
  return printReport(report, reachesTarget, ADVICE_TO_CALIBRATE, terminal, json);
}

/** @returns the exit code. */
export async function explainCommand({ store, terminal, json }: StoreContext): Promise<number> {
  const plans = await terminal.whileWaiting('Asking PostgreSQL', store.index.explain());
  const usesIndexes = plans.every(({ usesExpected }) => usesExpected);
  const isSmall = !usesIndexes && (await store.count()) < SMALL_STORE_ROWS;
  const ok = usesIndexes || isSmall;
  if (json) {
    terminal.print(asJson({ ok, plans }));
  }
  if (plans.length === 0) {
    return nothingStored(terminal);
  }
  if (!json) {
    terminal.print(formatPlans(plans, isSmall, terminal));
  }
  return ok ? EXIT_CODES.success : EXIT_CODES.failure;
}

/** @returns the exit code. */
export async function rebuildCommand(
  rebuild: Rebuild,
  { store, terminal, json, signal }: StoreContext,
): Promise<number> {
  const line = BuildProgressLine.create(terminal);
  const options: BuildOptions = { signal, onProgress: progress => line.show(progress) };
  let report: CalibrationReport;
  // The embedded database never tells how far it is.
  line.show({ phase: 'building the index' });
  try {
    report =
      rebuild.kind === 'tune'
        ? await store.index.tune(options)
        : await store.index.rebuild(rebuild.definition, options);
  } finally {
    line.end();
  }
  const exitCode = printCalibration(report, terminal, json);
  const conflict = configurationConflict(report, store.configuredIndex);
  if (conflict) {
    terminal.note(terminal.style('yellow', conflict));
  }
  return exitCode;
}

/** @returns the exit code. */
export async function requestRunCommand({
  client,
  terminal,
  json,
}: CommandContext): Promise<number> {
  const started = await terminal.whileWaiting('Asking the backend', client.startIndex());
  const { runId, joined } = started;
  const what = joined
    ? `Run ${runId} is under way already and takes care of it.`
    : `The backend indexes the catalog in run ${runId}.`;
  terminal.print(json ? asJson(started) : `${what} Watch it with: ask-ai status`);
  return EXIT_CODES.success;
}

function printCalibration(report: CalibrationReport, terminal: Terminal, json: boolean): number {
  return printReport(report, report.reachesTarget, adviceToRebuild(report), terminal, json);
}

function printReport(
  report: RecallReport,
  reachesTarget: boolean,
  advice: string,
  terminal: Terminal,
  json: boolean,
): number {
  if (json) {
    terminal.print(asJson({ ...report, reachesTarget }));
  }
  if (report.rows === 0) {
    return nothingStored(terminal);
  }
  if (!json) {
    terminal.print(formatRecall(report, reachesTarget, terminal));
    if (!reachesTarget) {
      terminal.note(terminal.style('yellow', advice));
    }
  }
  return reachesTarget ? EXIT_CODES.success : EXIT_CODES.failure;
}

function nothingStored(terminal: Terminal): number {
  terminal.note(
    terminal.style('yellow', 'The store is empty: index the catalog first, with ask-ai reindex.'),
  );
  return EXIT_CODES.nothingFound;
}
