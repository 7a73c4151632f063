/**
 * How far each test that compares with somebody else's numbers was from them. `UPDATE_PARITY=1 npm test` writes docs/parity.json,
 * which docs/parity.md is made of (`npm run docs`); without the variable nothing is written.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../../docs/parity.json', import.meta.url);

/** One test on one runtime: the largest distance seen, and the one it is held to, both in the test's own unit. */
export interface ParityRow {
  readonly suite: string;
  readonly title: string;
  readonly distance: number;
  readonly tolerance: number;
  readonly numbers: number;
}

const rows = new Map<string, ParityRow>();
let now: readonly string[] = [];

/** Called by what compares; of a test that compares several times the largest share of its tolerance stands. */
export function tellParity(of: Pick<ParityRow, 'distance' | 'tolerance' | 'numbers'>): void {
  const [suite, ...title] = now;
  if (suite === undefined || of.tolerance === 0) return;
  const key = now.join(' › ');
  const known = rows.get(key);
  const numbers = of.numbers + (known?.numbers ?? 0);
  const worse = known === undefined || of.distance / of.tolerance > known.distance / known.tolerance ? of : known;
  rows.set(key, { suite, title: title.join(' › '), distance: worse.distance, tolerance: worse.tolerance, numbers });
}

function writeParity(): void {
  if (process.env['UPDATE_PARITY'] !== '1') return;
  const before = JSON.parse(readFileSync(FILE, 'utf8')) as ParityRow[];
  const seen = new Set([...rows.values()].map(({ suite }) => suite));
  const kept = before.filter(({ suite }) => !seen.has(suite)); // of what this machine cannot run
  const measured = [...rows.values()].filter(({ suite }) => / golden|SmolLM2/.test(suite));
  const all = [...kept, ...measured].map((row) => ({ ...row, distance: Number(row.distance.toPrecision(2)) }));
  all.sort((a, b) => (a.suite + a.title < b.suite + b.title ? -1 : 1));
  writeFileSync(FILE, `${JSON.stringify(all, null, 1)}\n`);
}

/** Helpers are also imported by processes that tests start, where mocha is not. */
if (typeof beforeEach === 'function') {
  beforeEach(function () {
    now = this.currentTest?.titlePath() ?? [];
  });
  after(writeParity);
}
