import { BuildProgressLine } from './buildProgressLine';
import type { Terminal } from './terminal';

/** A rate from less time than this jumps about. */
const RATE_AFTER_MS = 1_000;

/** Shows how far a transfer is: its phase, the part that is done, rows a second, and what is left. */
export class TransferProgress {
  private readonly line: BuildProgressLine;
  private phase = '';
  private startedAt = 0;
  private startedWith = 0;

  constructor(
    terminal: Terminal,
    private readonly now: () => number = Date.now,
  ) {
    this.line = BuildProgressLine.create(terminal, now);
  }

  rows(phase: string, done: number, total: number | undefined): void {
    if (phase !== this.phase) {
      [this.phase, this.startedAt, this.startedWith] = [phase, this.now(), done];
    }
    const seconds = (this.now() - this.startedAt) / 1_000;
    const rate = Math.round((done - this.startedWith) / seconds).toLocaleString('en');
    const share = total ? done / total : undefined;
    const rows = `${done.toLocaleString('en')} rows`;
    const detail = seconds * 1_000 >= RATE_AFTER_MS ? `${rows}, ${rate} rows/s` : rows;
    this.line.show({ phase, share, detail });
  }

  /** What has no rows. */
  share(phase: string, share: number | undefined): void {
    this.phase = phase;
    this.line.show({ phase, share });
  }

  end(): void {
    this.line.end();
  }
}
