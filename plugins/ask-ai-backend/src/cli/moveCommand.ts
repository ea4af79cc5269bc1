import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { exportToFile } from '../pipeline/transfer/exportToFile';
import { fileSource, type TransferSource } from '../pipeline/transfer/transferSource';
import type { OpenTarget } from './openTransfer';
import { type ImportRequest, importCommand, type TransferContext } from './transferCommands';
import { TransferProgress } from './transferProgress';

export interface MoveRequest extends ImportRequest {
  /** Where the file lies that an interrupted move goes on with. */
  workDirectory: string;
  restart: boolean;
}

/**
 * Moves by way of a file, so that a source of any size is read once, however often the move is
 * interrupted: the export goes on at its checkpoint, and the load, which is one atomic unit, begins anew
 * from the file. The file goes when all is there.
 *
 * @returns the exit code.
 */
export async function moveCommand(
  source: TransferSource,
  target: OpenTarget,
  { workDirectory, restart, ...request }: MoveRequest,
  context: TransferContext,
): Promise<number> {
  if (request.dryRun) {
    return importCommand(source, target, request, context);
  }
  const file = join(workDirectory, fileName(source.description, target.description));
  await mkdir(workDirectory, { recursive: true });
  if (restart) {
    await rm(file, { force: true });
  }
  await exportUnlessThere(source, file, restart, context);
  const exported = fileSource(file);
  const exitCode = await importCommand(exported, target, request, context, source);
  if (exitCode === 0) {
    await rm(file);
  }
  return exitCode;
}

async function exportUnlessThere(
  source: TransferSource,
  file: string,
  restart: boolean,
  { terminal, signal }: TransferContext,
): Promise<void> {
  if (existsSync(file)) {
    const { mtime } = await stat(file);
    terminal.note(
      `Goes on with what was exported until ${mtime.toISOString()} (${file}); --restart reads it again.`,
    );
    return;
  }
  const progress = new TransferProgress(terminal);
  try {
    const { resumedAfter } = await exportToFile(source, file, {
      restart,
      signal,
      onProgress: (written, total) => progress.rows('reading', written, total),
    });
    if (resumedAfter > 0) {
      terminal.note(`Went on after ${resumedAfter.toLocaleString('en')} embeddings.`);
    }
  } finally {
    progress.end();
  }
}

function fileName(source: string, target: string): string {
  const digest = createHash('sha256').update(`${source}\n${target}`).digest('hex');
  return `move-${digest.slice(0, 16)}.ndjson`;
}
