/** Four reports a second are as many as anybody reads. */
const REPORT_INTERVAL_MS = 250;

/** Passes on what it is called with, at most four times a second. */
export function reportAtTimes<T>(report: (value: T) => void): (value: T) => void {
  let reportedAt = performance.now();
  return value => {
    const now = performance.now();
    if (now - reportedAt >= REPORT_INTERVAL_MS) {
      reportedAt = now;
      report(value);
    }
  };
}
