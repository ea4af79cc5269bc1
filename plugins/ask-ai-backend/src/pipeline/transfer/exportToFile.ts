import { constants } from 'node:fs';
import { access, open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { TransferError } from '../../errors';
import { reportAtTimes } from '../../lib/reportAtTimes';
import { addDigest, digestDocument, digestEmbedding } from './rowDigests';
import {
  documentLine,
  embeddingLine,
  endLine,
  FORMAT_VERSION,
  headerLine,
  type TransferCounts,
  type TransferHeader,
} from './transferLines';
import type { TransferSource } from './transferSource';

/** Written, and compressed, at once; as a process holds a few of them in memory. */
const SEGMENT_BYTES = 512 * 1024;
/** What is lost when the process is killed; also what waits for the disk each time. */
const SEGMENTS_PER_CHECKPOINT = 8;
/** The fastest: vectors hardly get smaller however long one tries. */
const COMPRESSION = { level: 1 };

export interface ExportOptions {
  compress?: boolean;
  /** Forgets what an interrupted export has written. */
  restart?: boolean;
  /** What is written, and compressed, at once; every eighth time there is a checkpoint. Default 512 kB. */
  segmentBytes?: number;
  /** Of embeddings; called a few times a second at most. */
  onProgress?(written: number, total: number | undefined): void;
  signal?: AbortSignal;
}

export interface ExportReport {
  counts: TransferCounts;
  /** Embeddings that an interrupted export had written already. */
  resumedAfter: number;
}

/** How far an export is; lies beside the file until it is whole. */
interface Checkpoint {
  source: string;
  compress: boolean;
  header: TransferHeader;
  counts: TransferCounts;
  /** In the file; what comes after them was not finished. */
  bytes: number;
  lastId: string;
  /** Of the lines so far, in hexadecimal digits. */
  digest: string;
}

/**
 * Writes all that a source has into a file. Until it is whole it has the ending `.part`, with a
 * checkpoint beside it; called again after it was killed, it goes on there. Each segment of a compressed
 * file is a member of its own, as gzip has it, so that it can be cut off at a checkpoint.
 *
 * @throws TransferError when an interrupted export has another source; what the source throws; the
 * signal's reason.
 */
export async function exportToFile(
  source: TransferSource,
  file: string,
  options: ExportOptions = {},
): Promise<ExportReport> {
  const checkpoint = options.restart ? undefined : await readCheckpoint(source, file, options);
  const part = `${file}.part`;
  if (checkpoint) {
    await truncate(part, checkpoint.bytes);
  }
  const resumedAfter = checkpoint?.counts.embeddings ?? 0;
  const state = checkpoint ?? (await begin(source, options));
  const handle = await open(part, checkpoint ? 'a' : 'w');
  try {
    await new ExportWriter(handle, file, source, state).write(options, checkpoint !== undefined);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, file);
  await rm(checkpointFile(file), { force: true });
  return { counts: state.counts, resumedAfter };
}

async function begin(
  source: TransferSource,
  { compress = false }: ExportOptions,
): Promise<Checkpoint> {
  const { embeddingSpace, dimensions = 0, embeddings = 0, documents = 0 } = await source.about();
  return {
    source: source.description,
    compress,
    header: {
      version: FORMAT_VERSION,
      exportedAt: new Date().toISOString(),
      embeddingSpace: embeddingSpace ?? null,
      dimensions,
      counts: { embeddings, documents },
    },
    counts: { embeddings: 0, documents: 0 },
    bytes: 0,
    lastId: '',
    digest: '0',
  };
}

class ExportWriter {
  private text = '';
  private sum: bigint;
  private segments = 0;

  constructor(
    private readonly handle: Awaited<ReturnType<typeof open>>,
    private readonly file: string,
    private readonly source: TransferSource,
    private readonly state: Checkpoint,
  ) {
    this.sum = BigInt(`0x${state.digest}`);
  }

  async write(
    { onProgress, signal, segmentBytes = SEGMENT_BYTES }: ExportOptions,
    isResumed: boolean,
  ): Promise<void> {
    const { state } = this;
    const total = state.header.counts.embeddings || undefined;
    const report = reportAtTimes(() => onProgress?.(state.counts.embeddings, total));
    if (!isResumed) {
      this.text = headerLine(state.header);
      for await (const document of this.source.documents()) {
        signal?.throwIfAborted();
        state.counts.documents++;
        await this.add(documentLine(document), digestDocument(document), segmentBytes);
      }
    }
    const after = isResumed ? state.lastId : undefined;
    for await (const embedding of this.source.embeddings({ after })) {
      signal?.throwIfAborted();
      state.counts.embeddings++;
      state.lastId = embedding.id;
      await this.add(embeddingLine(embedding), digestEmbedding(embedding), segmentBytes);
      report(undefined);
    }
    this.text += endLine({ counts: state.counts, digest: this.sum.toString(16) });
    await this.writeSegment();
    onProgress?.(state.counts.embeddings, total);
  }

  private async add(line: string, digest: bigint, segmentBytes: number): Promise<void> {
    this.text += line;
    this.sum = addDigest(this.sum, digest);
    if (this.text.length >= segmentBytes) {
      await this.writeSegment();
      // The records come again from their beginning.
      if (this.state.counts.embeddings > 0 && ++this.segments % SEGMENTS_PER_CHECKPOINT === 0) {
        await this.saveCheckpoint();
      }
    }
  }

  private async writeSegment(): Promise<void> {
    const plain = Buffer.from(this.text, 'utf8');
    const bytes = this.state.compress ? await promisify(gzip)(plain, COMPRESSION) : plain;
    this.text = '';
    await this.handle.appendFile(bytes);
    this.state.bytes += bytes.length;
  }

  /** What it tells of is on the disk before it is. */
  private async saveCheckpoint(): Promise<void> {
    await this.handle.sync();
    const name = checkpointFile(this.file);
    await writeFile(
      `${name}.new`,
      JSON.stringify({ ...this.state, digest: this.sum.toString(16) }),
    );
    await rename(`${name}.new`, name);
  }
}

async function readCheckpoint(
  { description }: TransferSource,
  file: string,
  { compress = false }: ExportOptions,
): Promise<Checkpoint | undefined> {
  const name = checkpointFile(file);
  const isThere = (path: string) =>
    access(path, constants.F_OK).then(
      () => true,
      () => false,
    );
  if (!(await isThere(name)) || !(await isThere(`${file}.part`))) {
    return undefined;
  }
  const checkpoint = JSON.parse(await readFile(name, 'utf8')) as Checkpoint;
  if (checkpoint.source !== description || checkpoint.compress !== compress) {
    throw new TransferError(
      `${name} belongs to an interrupted ${checkpoint.compress ? 'compressed ' : ''}export of ${checkpoint.source}: go on with that, or begin anew with --restart.`,
    );
  }
  return checkpoint;
}

function checkpointFile(file: string): string {
  return `${file}.checkpoint`;
}
