import type { SignalSource } from './interruption';
import type { openStore } from './openStore';
import type { Variables } from './readConfig';
import type { Terminal } from './terminal';

/** What the command line has around it. */
export interface CommandLineEnvironment {
  variables: Variables;
  /** Where configuration files are looked for. */
  directory: string;
  terminal: Terminal;
  /** Standard input, for the commands that read it. */
  input?: AsyncIterable<Buffer | string>;
  /** Where Ctrl-C is heard: the process. */
  signals: SignalSource;
  /** The way to the database; loaded by the commands that go there. */
  openStore: typeof openStore;
}
