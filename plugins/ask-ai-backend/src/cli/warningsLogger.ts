import type { LoggerService } from '@backstage/backend-plugin-api';
import type { Terminal } from './terminal';

/** A logger that tells of trouble only. */
export function createWarningsLogger(terminal: Terminal): LoggerService {
  const logger: LoggerService = {
    error: message => terminal.note(terminal.style('red', message)),
    warn: message => terminal.note(terminal.style('yellow', message)),
    info: () => {},
    debug: () => {},
    child: () => logger,
  };
  return logger;
}
