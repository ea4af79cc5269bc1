import type { Reporter, TestModule, TestRunEndReason, TestSuite } from 'vitest/node';
import { duplicateNames } from './duplicateNames';

/**
 * Prints `N passed, N failed` as the last line of a run, for scripts. A file that can't be loaded, an
 * error outside of a test and a title that two tests of a file share each count as a failure; so does
 * a run that ends before its tests, or finds none.
 */
export default class CountsReporter implements Reporter {
  private passed = 0;
  private failed = 1;

  onInit(): void {
    // vitest still prints its own summary, and what goes wrong while it closes, after the last hook.
    process.once('exit', () => {
      process.stdout.write(`${this.passed} passed, ${this.failed} failed\n`);
    });
  }

  onTestRunEnd(
    modules: ReadonlyArray<TestModule>,
    unhandledErrors: ReadonlyArray<unknown>,
    reason: TestRunEndReason,
  ): void {
    const tests = modules.flatMap(module => [...module.children.allTests()]);
    const duplicates = modules.flatMap(describeDuplicates);
    const brokenModules = modules.filter(
      module => module.errors().length > 0 || [...module.children.allSuites()].some(hasErrors),
    );
    this.passed = tests.filter(test => test.result().state === 'passed').length;
    this.failed =
      tests.filter(test => test.result().state === 'failed').length +
      brokenModules.length +
      duplicates.length +
      unhandledErrors.length +
      (reason === 'interrupted' || modules.length === 0 ? 1 : 0);
    if (duplicates.length > 0) {
      process.exitCode = 1;
      process.stderr.write(`${duplicates.join('\n')}\n`);
    }
  }
}

function hasErrors(suite: TestSuite): boolean {
  return suite.errors().length > 0;
}

/** In vitest's output two tests with one name can't be told apart. */
function describeDuplicates(module: TestModule): string[] {
  const names = [...module.children.allTests()].map(test => test.fullName);
  return duplicateNames(names).map(
    name => `FAIL ${module.relativeModuleId}: two tests have the title "${name}"`,
  );
}
