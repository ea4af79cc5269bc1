import type { BuildProgress } from '../database/vectorIndex/types';
import { duration } from './formatUnits';
import type { Terminal } from './terminal';

/** Where lines stay, as in the log of a job, few are enough. */
const PLAIN_INTERVAL_MS = 10_000;

/** An estimate from less time than this jumps about. */
const ESTIMATE_AFTER_MS = 2_000;

const BAR_COLUMNS = 24;

/** Where a phase began to tell how far it is. */
interface PhaseStart {
  phase: string;
  share: number;
  at: number;
}

/**
 * Shows how far a build is: on a terminal as one line that is drawn anew, elsewhere as a line every
 * ten seconds at most.
 */
export class BuildProgressLine {
  private start?: PhaseStart;
  private latestShare = 0;
  private printedAt = Number.NEGATIVE_INFINITY;
  private isEnded = false;

  static create(terminal: Terminal, now: () => number = Date.now): BuildProgressLine {
    return new BuildProgressLine(terminal, now);
  }

  private constructor(
    private readonly terminal: Terminal,
    private readonly now: () => number,
  ) {}

  /** @param detail - what else is told, such as a rate. */
  show({ phase, share, detail }: BuildProgress & { detail?: string }): void {
    if (this.isEnded) {
      return;
    }
    const left = this.estimate(phase, share);
    const rest =
      (detail === undefined ? '' : `, ${detail}`) +
      (left === undefined ? '' : `, about ${duration(left)} left`);
    const percent = share === undefined ? '' : `${Math.floor(clamp(share) * 100)} %`;
    if (this.terminal.canRedraw) {
      const bar = share === undefined ? '' : `${drawBar(clamp(share))} ${percent.padStart(5)}  `;
      this.terminal.drawLine(`${bar}${phase}${rest}`);
    } else if (this.now() - this.printedAt >= PLAIN_INTERVAL_MS) {
      this.printedAt = this.now();
      this.terminal.note(`${phase}${percent && ` ${percent}`}${rest}`);
    }
  }

  /** Leaves nothing behind, also when a look at the progress was still under way. */
  end(): void {
    this.isEnded = true;
    this.terminal.drawLine('');
  }

  /** Milliseconds until the phase ends, at its pace so far. */
  private estimate(phase: string, share: number | undefined): number | undefined {
    if (share === undefined) {
      this.start = undefined;
      return undefined;
    }
    const isNew = this.start?.phase !== phase || share < this.latestShare;
    const start = isNew || !this.start ? { phase, share, at: this.now() } : this.start;
    this.start = start;
    this.latestShare = share;
    const elapsed = this.now() - start.at;
    const done = share - start.share;
    return elapsed >= ESTIMATE_AFTER_MS && done > 0 ? (elapsed / done) * (1 - share) : undefined;
  }
}

function drawBar(share: number): string {
  const full = Math.round(share * BAR_COLUMNS);
  return '█'.repeat(full) + '░'.repeat(BAR_COLUMNS - full);
}

function clamp(share: number): number {
  return Math.min(Math.max(share, 0), 1);
}
