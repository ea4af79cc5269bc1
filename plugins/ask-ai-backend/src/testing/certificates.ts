import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate and its key, as PEM texts. */
export interface Certificate {
  cert: string;
  key: string;
}

/** An authority of a test, made by the `openssl` of this machine. */
export class TestAuthority {
  static create(): TestAuthority {
    const folder = mkdtempSync(join(tmpdir(), 'ask-ai-certificates-'));
    const authority = new TestAuthority(folder);
    authority.openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-days', '2', '-subj', '/CN=Test authority', '-keyout', 'ca.key', '-out', 'ca.crt'],
    );
    return authority;
  }

  private constructor(private readonly folder: string) {}

  get cert(): string {
    return this.read('ca.crt');
  }

  /** @param days - for how long from now; `-1` gives one that expired yesterday. */
  issue(commonName: string, options: { altName?: string; days?: number } = {}): Certificate {
    const { altName, days = 1 } = options;
    this.openssl(
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-subj', `/CN=${commonName}`, '-keyout', 'leaf.key', '-out', 'leaf.csr'],
    );
    writeFileSync(join(this.folder, 'ext'), altName ? `subjectAltName=${altName}\n` : '\n');
    this.openssl(
      ...['x509', '-req', '-in', 'leaf.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key'],
      ...['-CAcreateserial', '-days', String(days), '-extfile', 'ext', '-out', 'leaf.crt'],
    );
    return { cert: this.read('leaf.crt'), key: this.read('leaf.key') };
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: 'pipe' });
  }

  private read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }
}
