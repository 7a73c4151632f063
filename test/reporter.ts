import Mocha from 'mocha';

/**
 * Mocha's `spec` report, then each skipped test by its full title (which carries the reason), and as the very last line
 * `N passed, N failed` or `N passed, N failed, N skipped`.
 */
export default class TotalsReporter extends Mocha.reporters.Spec {
  readonly #skipped: string[] = [];

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.on(Mocha.Runner.constants.EVENT_TEST_PENDING, (test) => this.#skipped.push(test.fullTitle()));
  }

  override epilogue(): void {
    super.epilogue();
    if (this.#skipped.length > 0)
      console.log(['Skipped:', ...this.#skipped.map((title) => `  ${title}`), ''].join('\n'));
    const { passes, failures } = this.stats;
    const skipped = this.#skipped.length > 0 ? `, ${this.#skipped.length} skipped` : '';
    console.log(`${passes} passed, ${failures} failed${skipped}`);
  }
}
