/** Tells the person at the terminal. */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** Tells what went wrong, and makes the process end with an error. */
export function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
