import type { VectorIndexDefinition } from 'backstage-plugin-ask-ai-common';
import type {
  BuildOptions,
  CalibrationReport,
  RecallReport,
  SampleOptions,
  SearchPlan,
  VectorIndexAdministration,
} from '../database/vectorIndex/types';

/** What a calibration of a large store reports. */
export const calibrationReport: CalibrationReport = {
  m: 16,
  efConstruction: 64,
  precision: 'full',
  rows: 100_000,
  dimensions: 384,
  efSearch: 120,
  sampleSize: 100,
  recall: 0.9724,
  neighbours: 10,
  index: { p50Ms: 1.42, p95Ms: 2.1 },
  exact: { p50Ms: 38.24, p95Ms: 51 },
  recallTarget: 0.95,
  reachesTarget: true,
};

/** Answers as it is told, and remembers what it was asked for. */
export class FakeVectorIndex implements VectorIndexAdministration {
  readonly calls: unknown[] = [];
  report: CalibrationReport = calibrationReport;
  plans: SearchPlan[] = [];
  /** What goes on during a build. */
  duringBuild: (options: BuildOptions) => Promise<void> | void = () => {};

  async measureRecall({ signal, ...sample }: SampleOptions = {}): Promise<RecallReport> {
    this.calls.push(['measureRecall', sample]);
    signal?.throwIfAborted();
    const { reachesTarget, tune, ...report } = this.report;
    return report;
  }

  async calibrate({ signal, ...sample }: SampleOptions = {}): Promise<CalibrationReport> {
    this.calls.push(['calibrate', sample]);
    signal?.throwIfAborted();
    return this.report;
  }

  async explain(): Promise<SearchPlan[]> {
    this.calls.push(['explain']);
    return this.plans;
  }

  async rebuild(
    definition: Partial<VectorIndexDefinition>,
    options: BuildOptions = {},
  ): Promise<CalibrationReport> {
    this.calls.push(['rebuild', definition]);
    await this.duringBuild(options);
    return { ...this.report, ...definition };
  }

  async tune(options: BuildOptions = {}): Promise<CalibrationReport> {
    this.calls.push(['tune']);
    await this.duringBuild(options);
    return this.report;
  }
}
