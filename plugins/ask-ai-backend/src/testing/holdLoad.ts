import { Client } from 'pg';
import { DIMENSIONS, LOADED_ROWS, type LoadMoment, openStore, rows } from './loadFixtures';

/**
 * A program for tests to kill: loads rows into the store of a database and prints `there` when it comes
 * to a moment. It goes no further, unless it is in the middle of a statement.
 */
async function main(url: string, moment: LoadMoment): Promise<void> {
  interceptStatements(moment);
  const store = await openStore(url, { dimensions: DIMENSIONS });
  await store[moment.load](stream(moment));
  process.stdout.write('loaded\n');
}

async function* stream({ statement }: LoadMoment) {
  const loaded = rows(LOADED_ROWS, 'new');
  for (const [index, embedding] of loaded.entries()) {
    if (statement === undefined && index === LOADED_ROWS - 1) {
      await hold();
    }
    yield embedding;
  }
}

function hold(): Promise<never> {
  process.stdout.write('there\n');
  // A promise alone would not keep the process.
  setInterval(() => {}, 1_000);
  return new Promise(() => {});
}

/** All statements of the store go through this method of node-postgres. */
function interceptStatements({ statement, at, since }: LoadMoment): void {
  if (statement === undefined) {
    return;
  }
  let isSince = since === undefined;
  const send = Client.prototype.query as (...args: unknown[]) => unknown;
  const intercepted = function (this: Client, ...args: unknown[]): unknown {
    const [config] = args as [string | { text: string }];
    const text = typeof config === 'string' ? config : config.text;
    if (!isSince || !new RegExp(`^\\s*${statement}`).test(text)) {
      isSince ||= new RegExp(`^\\s*${since}`).test(text);
      return send.apply(this, args);
    }
    if (at === 'before') {
      return hold();
    }
    const sent = send.apply(this, args);
    if (at === 'after') {
      return (sent as Promise<unknown>).then(hold);
    }
    process.stdout.write('there\n');
    return sent;
  };
  Client.prototype.query = intercepted as typeof Client.prototype.query;
}

const [url = '', moment = '{}'] = process.argv.slice(2);
main(url, JSON.parse(moment)).catch(error => {
  process.stderr.write(`${error.name}: ${error.message}\n`);
  process.exitCode = 1;
});
