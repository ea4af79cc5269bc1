import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { commandFor, findPrograms } from './programs';

/**
 * Dumps a database with `pg_dump` and restores it in another, empty one with `psql`. The servers must
 * not be newer than the programs: use those of `startPostgres`.
 *
 * @throws Error with what the programs said.
 */
export async function copyDatabase(fromUrl: string, toUrl: string): Promise<void> {
  const programs = await findPrograms('postgresql');
  const start = (program: string, args: string[]) => {
    const { file, args: all } = commandFor(programs, program, args, 'KILL');
    return spawn(file, all, { cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] });
  };
  const dump = start('pg_dump', [`--dbname=${fromUrl}`]);
  const restore = start('psql', ['--quiet', '--no-psqlrc', '--set=ON_ERROR_STOP=1', toUrl]);
  dump.stdin.end();
  restore.stdout.resume();
  const ended = Promise.all(
    [dump, restore].map(async program => {
      const [said, [code]] = await Promise.all([text(program.stderr), once(program, 'close')]);
      return { said, code };
    }),
  );
  // When psql ends early, what it said tells more than the broken pipe.
  await pipeline(dump.stdout, restore.stdin).catch(() => {});
  for (const { said, code } of await ended) {
    if (code !== 0) {
      throw new Error(`The database could not be copied: ${said.trim()}`);
    }
  }
}
