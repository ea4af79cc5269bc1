/** Releases what was acquired, in reverse order; one that fails does not keep the others. */
export class ReleaseStack {
  private readonly releases: (() => Promise<void> | void)[] = [];

  add(release: () => Promise<void> | void): void {
    this.releases.push(release);
  }

  /** @throws AggregateError of what failed, after everything was tried. */
  async releaseAll(): Promise<void> {
    const errors: unknown[] = [];
    for (let release = this.releases.pop(); release; release = this.releases.pop()) {
      try {
        await release();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) {
      throw new AggregateError(errors, 'Some resources could not be released');
    }
  }
}
