import type { SharedCache } from '../lib/cache/SharedTier';

/** A shared cache for tests of one process, with the faults that Backstage's one has. */
export class MemoryCache implements SharedCache {
  /** As text, so that nothing is shared with who set it. */
  values = new Map<string, string>();
  /**
   * `forgets` is how Keyv's Redis client fails: silently. What is set while it hangs arrives never.
   */
  fault: 'fails' | 'forgets' | 'hangs' | undefined;

  async get<T>(key: string): Promise<T | undefined> {
    const isForgetful = await this.meetFault();
    const text = isForgetful ? undefined : this.values.get(key);
    return text === undefined ? undefined : JSON.parse(text);
  }

  async set(key: string, value: unknown, _options?: unknown): Promise<void> {
    if (!(await this.meetFault())) {
      this.values.set(key, JSON.stringify(value));
    }
  }

  private async meetFault(): Promise<boolean> {
    if (this.fault === 'fails') throw new Error('The cache is down.');
    if (this.fault === 'hangs') await new Promise<never>(() => {});
    return this.fault === 'forgets';
  }
}
