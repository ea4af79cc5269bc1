/** `1 row`, `2,000 rows`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** `4.2 s`, `12 min`, `3 h`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1_000;
  if (seconds < 60) {
    return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  }
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

/** `1.42 ms`, `38.2 ms`. */
export function latency(milliseconds: number): string {
  return `${milliseconds.toFixed(milliseconds < 10 ? 2 : 1)} ms`;
}

/** From 0 to 1, in up to three decimals; never rounded up, so that 0.9499 does not read as 0.95. */
export function part(value: number): string {
  // The addend makes up for numbers that binary fractions hold a little too low.
  return String(Math.floor(value * 1_000 + 1e-9) / 1_000);
}

/** For programs, and for people who look at it. */
export function asJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}
