import type { LoggerService } from '@backstage/backend-plugin-api';
import type { VectorIndexDefinition, VectorIndexStatus } from 'backstage-plugin-ask-ai-common';
import type { Database, DatabaseConnection } from '../connection';
import { translateDatabaseError } from '../databaseErrors';
import { DEFAULT_EF_SEARCH } from '../indexScanSettings';
import type { RankedSearchSettings } from '../preparedStatements';
import { describeRestriction } from '../roles/describeRestriction';
import {
  findEfSearch,
  largerIndex,
  needsCalibration,
  readCalibration,
  writeCalibration,
} from './calibration';
import { describeIndex } from './describeIndex';
import { explainSearches } from './explainSearches';
import { completeDefinition, isSameDefinition } from './indexDefinition';
import { readTableState, type TableState } from './indexState';
import {
  drawSample,
  estimateRows,
  type MeasuredSearch,
  measureSearch,
  NEIGHBOURS,
  type Sample,
} from './measureRecall';
import { dropIndexLeftovers, rebuildIndex, STATE_LIFETIME_MS } from './rebuildIndex';
import type {
  BuildOptions,
  CalibrationReport,
  RecallReport,
  SampleOptions,
  SearchPlan,
  VectorIndexAdministration,
  VectorIndexOptions,
} from './types';

const DEFAULT_RECALL_TARGET = 0.95;

type Logger = Pick<LoggerService, 'debug' | 'info' | 'warn'>;
type FoundSearch = MeasuredSearch & { efSearch: number };

/**
 * The vector index of the table `embeddings`. PostgreSQL's catalogs say how it is built and the table
 * `vector_index_calibration` how it is searched, so that all replicas agree. What is known of the
 * catalogs is read again every few seconds, before a search.
 */
export class VectorIndex implements VectorIndexAdministration {
  private readAt = performance.now();
  private reading: Promise<void> | undefined;

  private constructor(
    private readonly connection: DatabaseConnection,
    private readonly logger: Logger,
    private readonly options: VectorIndexOptions,
    private state: TableState,
  ) {}

  static async open(
    connection: DatabaseConnection,
    logger: Logger,
    options: VectorIndexOptions,
  ): Promise<VectorIndex> {
    const state = await readTableState(connection.reader.db);
    return new VectorIndex(connection, logger, options, state);
  }

  get dimensions(): number {
    return this.state.dimensions;
  }

  /** How the index is searched, as far as it is known. */
  get settings(): RankedSearchSettings {
    const { dimensions, textSearchConfig, live } = this.state;
    const precision = live?.isValid ? live.precision : 'full';
    return { dimensions, precision, textSearchConfig, efSearch: this.options.efSearch };
  }

  /** How the index is to be built: by the configuration, and otherwise as it is. */
  get definition(): VectorIndexDefinition {
    return completeDefinition(this.state, this.options);
  }

  /** The same for vectors of other dimensions. */
  definitionFor(dimensions: number): VectorIndexDefinition {
    return completeDefinition({ ...this.state, dimensions }, this.options);
  }

  /** How it was built; `undefined` while there is none. */
  get live(): VectorIndexDefinition | undefined {
    return this.state.live;
  }

  /** Reads the catalogs again when what is known is older: another replica may have rebuilt the index. */
  async refresh(maxAgeMs = STATE_LIFETIME_MS): Promise<void> {
    if (performance.now() - this.readAt < maxAgeMs) {
      return;
    }
    if (maxAgeMs === 0) {
      // What is being read may be from before a change that the caller made.
      await this.reading?.catch(() => {});
    }
    this.reading ??= readTableState(this.connection.reader.db)
      .then(state => {
        this.state = state;
        this.readAt = performance.now();
      })
      .finally(() => {
        this.reading = undefined;
      });
    await this.reading;
  }

  /** Makes the index as the configuration wants it, when it is not; another process may be faster. */
  async ensure(options: BuildOptions = {}): Promise<void> {
    try {
      await this.refresh(0);
      const { live, hasOthers } = this.state;
      if (!live?.isValid || !isSameDefinition(live, this.definition)) {
        await this.rebuild({}, options);
      } else if (hasOthers) {
        await dropIndexLeftovers(this.connection.admin, options.signal);
      }
    } catch (error) {
      const { name, message } = translateDatabaseError(
        error,
        'build the vector index',
        this.connection.description,
      );
      if (name === 'ConflictError' || options.signal?.aborted) {
        this.logger.debug(message);
      } else {
        this.logger.warn(
          `The vector index is not as the configuration wants it, so searches use what there is. ${message}`,
        );
      }
    }
  }

  async status(): Promise<VectorIndexStatus> {
    await this.refresh(0);
    const { message, ...status } = describeIndex({
      state: this.state,
      calibration: await readCalibration(this.connection.reader.db),
      efSearch: this.options.efSearch,
      recallTarget: this.recallTarget,
    });
    const messages = [message, await describeRestriction(this.connection)].filter(Boolean);
    return { ...status, ...(messages.length > 0 && { message: messages.join(' ') }) };
  }

  measureRecall(options: SampleOptions = {}): Promise<RecallReport> {
    return this.measure(options, async (session, sample) => {
      const stored = this.options.efSearch ?? (await readCalibration(session))?.efSearch;
      const efSearch = stored ?? DEFAULT_EF_SEARCH;
      const settings = { ...this.settings, efSearch };
      return { efSearch, ...(await measureSearch(session, sample, settings, options.signal)) };
    });
  }

  async calibrate(options: SampleOptions = {}): Promise<CalibrationReport> {
    const report = await this.measure(options, (session, sample) =>
      findEfSearch(session, sample, {
        ...this.settings,
        fixed: this.options.efSearch,
        recallTarget: this.recallTarget,
        signal: options.signal,
      }),
    );
    const { efSearch, recall, recallTarget, sampleSize, rows } = report;
    if (sampleSize > 0) {
      const calibration = { efSearch, recall, recallTarget, sampleSize, rowCount: rows };
      await writeCalibration(this.connection.db, calibration);
    }
    const reachesTarget = recall >= recallTarget;
    const tune = reachesTarget ? undefined : largerIndex(report);
    return { ...report, reachesTarget, ...(tune && { tune }) };
  }

  /** Calibrates after a load of the table, and whenever it grew by half since the last time. */
  async calibrateIfDue({ isLoad, ...options }: SampleOptions & { isLoad: boolean }): Promise<void> {
    const { db } = this.connection;
    if (isLoad) {
      // It may have brought an index of another precision along.
      await this.refresh(0);
    }
    const rows = await estimateRows(db);
    const calibration = isLoad ? undefined : await readCalibration(db);
    if (!needsCalibration(rows, calibration, this.options.calibrateFromRows)) {
      return;
    }
    const { efSearch, recall, reachesTarget, tune } = await this.calibrate(options);
    const result = `recall@${NEIGHBOURS} is ${recall.toFixed(3)} at ef_search ${efSearch} with ${rows} rows`;
    if (reachesTarget) {
      this.logger.info(`Vector index calibrated: ${result}`);
    } else {
      const remedy = tune ? 'Run "ask-ai reindex --tune" to build a larger index.' : '';
      this.logger.warn(`The vector index misses its target: ${result}. ${remedy}`.trim());
    }
  }

  explain(): Promise<SearchPlan[]> {
    return this.run('explain the searches', () =>
      explainSearches(this.connection.reader.db, this.settings),
    );
  }

  async rebuild(
    definition: Partial<VectorIndexDefinition>,
    options: BuildOptions = {},
  ): Promise<CalibrationReport> {
    await this.build(definition, options);
    return this.calibrate({ signal: options.signal });
  }

  /** As `rebuild`, but nothing is measured. */
  build(definition: Partial<VectorIndexDefinition>, options: BuildOptions = {}): Promise<void> {
    return this.run('rebuild the vector index', async () => {
      const wanted = completeDefinition(this.state, { ...this.options, ...definition });
      const size = {
        dimensions: this.dimensions,
        rows: await estimateRows(this.connection.reader.db),
      };
      await rebuildIndex(this.connection.admin, wanted, size, options);
      await this.refresh(0);
    });
  }

  async tune(options: BuildOptions = {}): Promise<CalibrationReport> {
    let report = await this.calibrate({ signal: options.signal });
    while (report.tune) {
      report = await this.rebuild(report.tune, options);
    }
    return report;
  }

  private get recallTarget(): number {
    return this.options.recallTarget ?? DEFAULT_RECALL_TARGET;
  }

  /** @param search - measures the search by the index, for a sample. */
  private measure(
    options: SampleOptions,
    search: (session: Database, sample: Sample) => Promise<FoundSearch>,
  ): Promise<RecallReport> {
    return this.run('measure the recall', () =>
      this.connection.reader.withMaintenanceSession(async session => {
        const rows = await estimateRows(session);
        const sample = await drawSample(session, rows, options);
        const found = sample ? await search(session, sample) : NOTHING_TO_FIND;
        return {
          ...completeDefinition(this.state, {}),
          rows,
          dimensions: this.dimensions,
          efSearch: found.efSearch,
          sampleSize: sample?.vectors.length ?? 0,
          recall: found.recall,
          neighbours: NEIGHBOURS,
          index: found.latency,
          exact: sample?.exact ?? NOTHING_TO_FIND.latency,
          recallTarget: this.recallTarget,
        };
      }),
    );
  }

  /** With what the catalogs say now. */
  private async run<T>(action: string, work: () => Promise<T>): Promise<T> {
    try {
      await this.refresh(0);
      return await work();
    } catch (error) {
      throw translateDatabaseError(error, action, this.connection.description);
    }
  }
}

/** Of a store with fewer than two rows. */
const NOTHING_TO_FIND: FoundSearch = {
  efSearch: DEFAULT_EF_SEARCH,
  recall: 1,
  leastRecall: 1,
  latency: { p50Ms: 0, p95Ms: 0 },
};
