import { beforeEach, describe, expect, it } from 'vitest';
import { recordTerminal } from '../testing/recordTerminal';
import { BuildProgressLine } from './buildProgressLine';

const LOADING = 'building index: loading tuples';
const ERASE_LINE = '\r\u001b[2K';

describe('BuildProgressLine', () => {
  let time: number;
  const now = () => time;

  beforeEach(() => {
    time = 0;
  });

  it('draws a bar, the percentage, the phase and the time left', () => {
    const recorded = recordTerminal({ isTTY: true, columns: 120 });
    const line = BuildProgressLine.create(recorded.terminal, now);
    line.show({ phase: LOADING, share: 0 });
    time = 60_000;
    line.show({ phase: LOADING, share: 0.25 });
    expect(recorded.noted().split(ERASE_LINE)).toEqual([
      '',
      `░░░░░░░░░░░░░░░░░░░░░░░░   0 %  ${LOADING}`,
      `██████░░░░░░░░░░░░░░░░░░  25 %  ${LOADING}, about 3 min left`,
    ]);
  });

  it('takes the line away at the end', () => {
    const recorded = recordTerminal({ isTTY: true });
    const line = BuildProgressLine.create(recorded.terminal, now);
    line.show({ phase: 'initializing' });
    line.end();
    line.show({ phase: 'late' });
    line.end();
    expect(recorded.noted()).toBe(`${ERASE_LINE}initializing${ERASE_LINE}`);
  });

  it('prints a line every ten seconds at most where lines stay', () => {
    const recorded = recordTerminal();
    const line = BuildProgressLine.create(recorded.terminal, now);
    for (const second of [0, 1, 9.9, 10, 19, 20]) {
      time = second * 1_000;
      line.show({ phase: LOADING, share: second / 100 });
    }
    line.end();
    expect(recorded.noted().trimEnd().split('\n')).toEqual([
      `${LOADING} 0 %`,
      `${LOADING} 10 %, about 2 min left`,
      `${LOADING} 20 %, about 1 min left`,
    ]);
  });

  it.each([
    ['another phase', { phase: 'building index: other', share: 0.5 }],
    ['the next build', { phase: LOADING, share: 0.1 }],
  ])('estimates anew in %s', (_name, progress) => {
    const recorded = recordTerminal();
    const line = BuildProgressLine.create(recorded.terminal, now);
    line.show({ phase: LOADING, share: 0.4 });
    time = 100_000;
    line.show(progress);
    expect(recorded.noted()).not.toContain('left');
  });
});
