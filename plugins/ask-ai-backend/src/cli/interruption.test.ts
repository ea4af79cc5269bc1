import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { untilInterrupted } from './interruption';

const silent = { onStop: () => {}, stopped: 'Stopped.' };

/** Rejects when it is told to stop, as a cancelled statement does. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('canceling statement')));
  });
}

describe('untilInterrupted', () => {
  it.each(['SIGINT', 'SIGTERM'])('stops the work at %s and says what the state is', async name => {
    const signals = new EventEmitter();
    const said: string[] = [];
    const messages = { onStop: () => void said.push('stopping'), stopped: 'Stopped.' };
    const work = untilInterrupted(signals, messages, untilAborted);
    signals.emit(name);
    expect(said).toEqual(['stopping']);
    await expect(work).rejects.toMatchObject({ message: 'Stopped.', exitCode: 130 });
  });

  it('leaves a second signal to the process', async () => {
    const signals = new EventEmitter();
    const work = untilInterrupted(signals, silent, untilAborted);
    signals.emit('SIGINT');
    expect(signals.eventNames()).toEqual([]);
    await expect(work).rejects.toThrow('Stopped.');
  });

  it('listens only while the work is under way', async () => {
    const signals = new EventEmitter();
    const during = await untilInterrupted(signals, silent, async () => signals.eventNames());
    expect(during).toEqual(['SIGINT', 'SIGTERM']);
    expect(signals.eventNames()).toEqual([]);
  });

  it('passes what the work itself is rejected with', async () => {
    const work = untilInterrupted(new EventEmitter(), silent, () =>
      Promise.reject(new Error('broken')),
    );
    await expect(work).rejects.toThrow('broken');
  });

  it('keeps the result of work that is done in spite of a signal', async () => {
    const signals = new EventEmitter();
    const result = await untilInterrupted(signals, silent, async () => {
      signals.emit('SIGINT');
      return 'done';
    });
    expect(result).toBe('done');
  });
});
