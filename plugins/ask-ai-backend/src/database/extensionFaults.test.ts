import { describe, expect, it } from 'vitest';
import { faultsOf } from './extensionFaults';

describe('faultsOf', () => {
  it.each(['0.8.0', '0.8.1'])('names both faults of pgvector %s, and one remedy', version => {
    expect(faultsOf(version)).toMatch(/HNSW indexes that are vacuumed and CVE-2026-3172.*0\.8\.4/);
  });

  it.each(['0.8.2', '0.8.3'])('names the fault of pgvector %s that is left', version => {
    const told = faultsOf(version);
    expect(told).toContain('vacuumed');
    expect(told).not.toContain('CVE');
  });

  it.each(['0.8.4', '0.8.10', '0.9.0', '1.0.0'])('knows no fault of pgvector %s', version => {
    expect(faultsOf(version)).toBeUndefined();
  });
});
