import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A TypeScript program in a process of its own. */
export interface RunningProgram {
  pid: number;
  /** Resolves with the next line that the program prints; rejects when it ends before. */
  nextLine(): Promise<string>;
  /** Ends it at once, as `kill -9` does, and waits until it is gone. */
  kill(): Promise<void>;
  /** Resolves with the exit code and what went to standard error. */
  ended(): Promise<{ code: number | null; stderr: string }>;
}

/** Runs a TypeScript file. */
export function runFile(file: string, args: string[], env: NodeJS.ProcessEnv = {}): RunningProgram {
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return controlled(child);
}

function controlled(child: ChildProcess): RunningProgram {
  const exited = once(child, 'close');
  let stderr = '';
  child.stderr?.on('data', chunk => {
    stderr += chunk;
  });
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', line => {
      const take = waiting.shift();
      if (take) {
        take(line);
      } else {
        lines.push(line);
      }
    });
  }
  return {
    pid: child.pid ?? -1,
    nextLine: () => {
      const line = lines.shift();
      if (line !== undefined) {
        return Promise.resolve(line);
      }
      return new Promise((resolve, reject) => {
        waiting.push(resolve);
        exited.then(() => reject(new Error(`The program ended: ${stderr}`)));
      });
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    ended: async () => {
      const [code] = await exited;
      return { code: code as number | null, stderr };
    },
  };
}
