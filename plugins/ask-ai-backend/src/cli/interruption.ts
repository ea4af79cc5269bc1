import { failure } from './exitCodes';

type StopSignal = 'SIGINT' | 'SIGTERM';

const STOP_SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM'];

/** The part of `process` that is used. */
export interface SignalSource {
  on(signal: StopSignal, listener: () => void): unknown;
  off(signal: StopSignal, listener: () => void): unknown;
}

/** What is said when somebody stops the work. */
export interface StopMessages {
  /** At once. */
  onStop(): void;
  /** At the end: what the state is now. */
  stopped: string;
}

/**
 * Does work that Ctrl-C and SIGTERM stop in an orderly way. Only the first of them does: after it,
 * the next one ends the process as usual.
 *
 * @throws a failure with `stopped` when the work was stopped, whatever it was rejected with.
 */
export async function untilInterrupted<T>(
  signals: SignalSource,
  { onStop, stopped }: StopMessages,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const ignore = () => {
    for (const signal of STOP_SIGNALS) {
      signals.off(signal, stop);
    }
  };
  const stop = () => {
    ignore();
    onStop();
    controller.abort(failure('interrupted', stopped));
  };
  for (const signal of STOP_SIGNALS) {
    signals.on(signal, stop);
  }
  try {
    return await work(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    ignore();
  }
}
