import { describe, expect, it } from 'vitest';
import { recordTerminal } from '../testing/recordTerminal';
import { createTerminal } from './terminal';

const ERASE_LINE = '\r\u001b[2K';

describe('createTerminal', () => {
  it('draws a line in place of the one before, and makes way for what stays', () => {
    const { terminal, noted } = recordTerminal({ isTTY: true });
    terminal.drawLine('one');
    terminal.drawLine('two');
    terminal.note('A note.');
    terminal.note('Another.');
    expect(noted()).toBe(`${ERASE_LINE}one${ERASE_LINE}two${ERASE_LINE}A note.\nAnother.\n`);
  });

  it('makes way for the result, too', () => {
    const { terminal, printed, noted } = recordTerminal({ isTTY: true });
    terminal.drawLine('one');
    terminal.print('The result.');
    expect(printed()).toBe('The result.\n');
    expect(noted()).toBe(`${ERASE_LINE}one${ERASE_LINE}`);
  });

  it('cuts a line that the window would break', () => {
    const { terminal, noted } = recordTerminal({ isTTY: true, columns: 6 });
    terminal.drawLine('\u001b[36m12345\u001b[39m');
    terminal.drawLine('\u001b[36m123456\u001b[39m');
    expect(noted()).toBe(`${ERASE_LINE}\u001b[36m12345\u001b[39m${ERASE_LINE}12345`);
  });

  it('draws no line where lines stay', () => {
    const { terminal, noted } = recordTerminal();
    terminal.drawLine('one');
    expect(noted()).toBe('');
  });

  it('draws on standard error while the result goes to a file', () => {
    const written: string[] = [];
    const stderr = { isTTY: true, write: (text: string) => written.push(text) };
    const terminal = createTerminal({ write: () => {} }, stderr, {});
    expect([terminal.isInteractive, terminal.canRedraw]).toEqual([false, true]);
    terminal.drawLine('one');
    expect(written).toEqual([`${ERASE_LINE}one`]);
  });
});
