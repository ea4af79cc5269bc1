import type { CommandLineEnvironment } from './commandLineEnvironment';
import type { StoreContext } from './indexCommands';
import { untilInterrupted } from './interruption';
import type { StoreOptions } from './openStore';
import { createWarningsLogger } from './warningsLogger';

/** Options of a command that works on the database. */
export interface DatabaseOptions extends StoreOptions {
  json?: boolean;
}

/** Opens the store, works on it and closes it, whatever happens. */
export async function onStore(
  { json, ...options }: DatabaseOptions,
  { variables, directory, terminal, signals, openStore }: CommandLineEnvironment,
  stopped: string,
  work: (context: StoreContext) => Promise<number>,
): Promise<number> {
  const onStop = () => terminal.note('Stopping. Ctrl-C again ends at once.');
  return untilInterrupted(signals, { onStop, stopped }, async signal => {
    const logger = createWarningsLogger(terminal);
    const store = await openStore(options, { variables, directory, logger });
    try {
      signal.throwIfAborted();
      return await work({ store, terminal, json: json ?? false, signal });
    } finally {
      await store.close();
    }
  });
}
