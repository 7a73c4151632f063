/**
 * Edge pruning beside EAP-IG on the bundled IOI model: writes reports/edge-pruning-ioi. Takes some minutes.
 *
 *     npm run report:edge-pruning
 */
import { fileURLToPath } from 'node:url';
import { mkdir } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { withWorkbench } from '../src/jobs/workbench.js';
import type { Universe } from '../src/circuit/types.js';
import { edgePruning } from '../src/attribution/edges/methods/learned/edge-pruning.js';
import { FRESH, jaccardOf, openRivals, type Comparison } from './edge-pruning.js';
import { describeComparisons, type ComparisonReport } from './edge-pruning-table.js';

const [SIZES, SEEDS, HOLDS] = [
  [20, 30, 60],
  [0, 1, 2],
  ['metric', 'kl'],
] as const;
const FOLDER = fileURLToPath(new URL('../reports/edge-pruning-ioi/', import.meta.url));

const rounded = (_: string, value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(6)) : value;

const MODEL = fileURLToPath(new URL('../models/ioi', import.meta.url));

/** Written anew after every row: what is there is whole, and says which seeds it has. */
async function write(universe: Universe, rows: readonly Comparison[]): Promise<void> {
  const of = (edges: number, holds: Comparison['holds']): Comparison[] =>
    rows.filter((row) => row.edges === edges && row.holds === holds).sort((a, b) => a.seed - b.seed);
  const asked = SIZES.flatMap((edges) => HOLDS.map((holds) => ({ edges, holds, rows: of(edges, holds) })));
  const seeds = asked
    .filter((one) => one.rows.length > 1)
    .map(({ edges, holds, rows: own }) => ({
      edges,
      holds,
      jaccard: jaccardOf(
        universe,
        own.map(({ circuit }) => circuit),
      ),
    }));
  const { updates, rate, restarts } = edgePruning.options;
  const all = asked.flatMap((one) => one.rows);
  const report: ComparisonReport = {
    fresh: FRESH,
    updates: updates.default as number,
    rate: rate.default as number,
    restarts: restarts.default as number,
    rows: all,
    seeds,
  };
  await mkdir(FOLDER, { recursive: true });
  const json = JSON.stringify(report, rounded, 1);
  await writeFileAtomic(`${FOLDER}comparison.json`, `${json}\n`);
  await writeFileAtomic(`${FOLDER}README.md`, describeComparisons(JSON.parse(json) as ComparisonReport));
}

await withWorkbench({ model: MODEL, runtime: 'auto' }, async (bench) => {
  const rivals = await openRivals(bench);
  const rows: Comparison[] = [];
  for (const seed of SEEDS)
    for (const edges of SIZES)
      for (const holds of HOLDS) {
        const row = await rivals.compare({ edges, holds, seed });
        process.stdout.write(`${edges} edges, ${holds}, seed ${seed}: gain ${row.gain.value.toFixed(4)}\n`);
        rows.push(row);
        await write(bench.engine.universe, rows);
      }
});
