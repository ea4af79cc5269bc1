import { expect, it } from 'vitest';
import { recordTerminal } from '../testing/recordTerminal';
import { TransferProgress } from './transferProgress';

const ERASE_LINE = '\r\u001b[2K';

it('draws the part that is done, the rate and the time left on a terminal', () => {
  let time = 0;
  const { terminal, noted } = recordTerminal({ isTTY: true, columns: 120 });
  const progress = new TransferProgress(terminal, () => time);
  progress.rows('exporting', 0, 100_000);
  time = 5_000;
  progress.rows('exporting', 25_000, 100_000);
  progress.end();
  expect(noted().split(ERASE_LINE)).toEqual([
    '',
    `${'░'.repeat(24)}   0 %  exporting, 0 rows`,
    `${'█'.repeat(6)}${'░'.repeat(18)}  25 %  exporting, 25,000 rows, 5,000 rows/s, about 15 s left`,
    '',
  ]);
});

it('counts the rate anew after an interruption and in another phase, and prints lines elsewhere', () => {
  let time = 0;
  const { terminal, noted } = recordTerminal();
  const progress = new TransferProgress(terminal, () => time);
  progress.rows('exporting', 50_000, 100_000);
  time = 10_000;
  progress.rows('exporting', 60_000, 100_000);
  time = 20_000;
  progress.rows('verifying', 100, undefined);
  progress.end();
  expect(noted().trimEnd().split('\n')).toEqual([
    'exporting 50 %, 50,000 rows',
    'exporting 60 %, 60,000 rows, 1,000 rows/s, about 40 s left',
    'verifying, 100 rows',
  ]);
});
