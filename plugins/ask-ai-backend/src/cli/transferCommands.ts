import { existsSync } from 'node:fs';
import type { LoadProgress } from 'backstage-plugin-ask-ai-node';
import { CHUNKER_VERSION } from '../pipeline/chunk';
import { exportToFile } from '../pipeline/transfer/exportToFile';
import {
  checkImport,
  type ImportReport,
  importTransfer,
} from '../pipeline/transfer/importTransfer';
import type { TransferSource } from '../pipeline/transfer/transferSource';
import {
  type Compared,
  type VerifyReport,
  verifyTransfer,
} from '../pipeline/transfer/verifyTransfer';
import { EXIT_CODES, failure } from './exitCodes';
import { asJson, duration, part, plural } from './formatUnits';
import type { OpenTarget } from './openTransfer';
import type { Terminal } from './terminal';
import { TransferProgress } from './transferProgress';

/** What all of them work with. */
export interface TransferContext {
  terminal: Terminal;
  json: boolean;
  signal: AbortSignal;
}

export interface ExportRequest {
  file: string;
  compress: boolean;
  restart: boolean;
  overwrite: boolean;
  dryRun: boolean;
}

export interface ImportRequest {
  replace: boolean;
  dryRun: boolean;
  verify: boolean;
  embeddingSpace?: { provider: string; model: string };
}

/** @returns the exit code. */
export async function exportCommand(
  source: TransferSource,
  { file, overwrite, dryRun, ...options }: ExportRequest,
  { terminal, json, signal }: TransferContext,
): Promise<number> {
  const facts = await source.about();
  if (facts.embeddings === 0) {
    terminal.note(`${source.description} holds nothing to export.`);
    return EXIT_CODES.nothingFound;
  }
  if (existsSync(file) && !overwrite) {
    throw failure('usage', `${file} is there already: replace it with --overwrite.`);
  }
  if (dryRun) {
    terminal.print(
      json ? asJson({ ...facts, file }) : `Would export ${rowsOf(facts.embeddings)} into ${file}.`,
    );
    return EXIT_CODES.success;
  }
  const report = await withProgress(terminal, progress =>
    exportToFile(source, file, {
      ...options,
      signal,
      onProgress: (written, total) => progress.rows('exporting', written, total),
    }),
  );
  const resumed =
    report.resumedAfter > 0
      ? `, ${rowsOf(report.resumedAfter)} of them before it was interrupted`
      : '';
  const { embeddings, documents } = report.counts;
  const what = `Exported ${rowsOf(embeddings)} and ${plural(documents, 'document')} into ${file}${resumed}.`;
  terminal.print(json ? asJson({ ...report, file }) : what);
  return EXIT_CODES.success;
}

/**
 * @param origin - what the target is compared with, where the source is a copy of it.
 * @returns the exit code.
 */
export async function importCommand(
  source: TransferSource,
  target: OpenTarget,
  request: ImportRequest,
  { terminal, json, signal }: TransferContext,
  origin = source,
): Promise<number> {
  const startedAt = Date.now();
  const { embeddings: total } = await source.about();
  const { report, verified } = await withProgress(terminal, async progress => {
    const options = {
      ...request,
      chunkerVersion: CHUNKER_VERSION,
      warn: (message: string) => terminal.note(terminal.style('yellow', message)),
      signal,
      onProgress: ({ phase, rowsWritten, indexed }: LoadProgress) =>
        phase === 'writing'
          ? progress.rows('writing', rowsWritten, total)
          : progress.share('building the vector index', indexed),
    };
    if (request.dryRun || !target.store) {
      return { report: await checkImport(source, target.store, options) };
    }
    const report = await importTransfer(source, target.store, options);
    if (!request.verify) {
      return { report };
    }
    const onProgress = (rows: number) =>
      rows % 1_000 === 0 && progress.rows('verifying', rows, 2 * report.counts.embeddings);
    return { report, verified: await verifyTransfer(origin, target.store, { onProgress, signal }) };
  });
  const took = Date.now() - startedAt;
  if (json) {
    terminal.print(asJson({ ...report, verified, dryRun: request.dryRun, milliseconds: took }));
  } else {
    terminal.print(formatImport(report, target.description, request.dryRun, took));
    if (verified) {
      terminal.print(formatVerified(verified));
    }
  }
  return verified?.isEqual === false ? EXIT_CODES.failure : EXIT_CODES.success;
}

async function withProgress<T>(
  terminal: Terminal,
  work: (progress: TransferProgress) => Promise<T>,
): Promise<T> {
  const progress = new TransferProgress(terminal);
  try {
    return await work(progress);
  } finally {
    progress.end();
  }
}

function formatImport(
  { counts, embeddingSpace, replaced }: ImportReport,
  description: string,
  dryRun: boolean,
  took: number,
): string {
  const { provider, model, dimensions } = embeddingSpace;
  const place = replaced > 0 ? `, in place of ${rowsOf(replaced)}` : '';
  const time = dryRun ? '' : ` in ${duration(took)}`;
  return (
    `${dryRun ? 'Would import' : 'Imported'} ${rowsOf(counts.embeddings)} of ${provider}/${model} (${dimensions} dimensions) ` +
    `and ${plural(counts.documents, 'document')} into ${description}${place}${time}.`
  );
}

function formatVerified({ isEqual, embeddings, documents, searches }: VerifyReport): string {
  const lines = [
    isEqual ? 'Verified: the store is equal to the source.' : 'NOT EQUAL to the source:',
    formatCompared('embeddings', embeddings),
    ...(documents ? [formatCompared('documents', documents)] : []),
    ...(searches
      ? [
          `  ${plural(searches.count, 'search', 'searches')}: recall ${part(searches.recall)}, ${searches.missed} missed what they looked for`,
        ]
      : []),
  ];
  return lines.join('\n');
}

function formatCompared(what: string, { source, target, missing, unexpected }: Compared): string {
  const differing = (names: string[], label: string) =>
    names.length > 0 ? `; ${label}: ${names.join(', ')}` : '';
  return `  ${target.toLocaleString('en')} of ${source.toLocaleString('en')} ${what}${differing(missing, 'missing or different')}${differing(unexpected, 'only here or different')}`;
}

function rowsOf(count = 0): string {
  return plural(count, 'embedding');
}
