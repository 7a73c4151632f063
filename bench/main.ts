/**
 * What the engine's work costs, in plain forward passes measured beside it. Prints a table and writes bench/results.json.
 *
 *     npm run bench [-- --quick] [-- --only WORD]
 */
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import writeFileAtomic from 'write-file-atomic';
import { withSession } from '../src/engine/questions/session.js';
import { ratioTo } from './measure.js';
import { plainForward } from './rows/forward.js';
import { ROWS } from './rows/index.js';
import type { BenchContext, ProcessRow, Result, Row, TimedRow } from './types.js';
import { openWorkload } from './workload.js';

const PATIENCE = { quick: { rounds: 1, seconds: 3 }, full: { rounds: 3, seconds: 20 } };
const RESULTS = fileURLToPath(new URL('results.json', import.meta.url));

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function measureTimed(row: TimedRow, context: BenchContext): Promise<number> {
  const unit = await (row.beside ?? plainForward)(context);
  const work = await row.prepare(context);
  const { ratio, unitSeconds } = await ratioTo(unit, work, context.quick ? PATIENCE.quick : PATIENCE.full);
  print(`  ${row.name}: ${ratio.toFixed(2)} ${row.unit} of ${(1000 * unitSeconds).toFixed(0)} ms`);
  return ratio;
}

async function measureProcess(row: ProcessRow, options: { quick: boolean }): Promise<number> {
  const ratio = await row.measure(options);
  print(`  ${row.name}: ${ratio.toFixed(2)} ${row.unit}`);
  return ratio;
}

const rounded = (x: number): number => Math.round(1000 * x) / 1000;

const resultOf = ({ name, limit }: Row, ratio: number): Result => ({
  name,
  ratio: rounded(ratio),
  limit,
  holds: ratio <= limit,
});

async function measureAll(rows: readonly Row[], quick: boolean): Promise<Result[]> {
  const results = new Map<Row, Result>();
  for (const row of rows)
    if (row.kind === 'process') results.set(row, resultOf(row, await measureProcess(row, { quick })));
  const workload = await openWorkload();
  await withSession(
    workload.engine,
    workload.batch,
    { metric: 'logit-difference', direction: 'noising' },
    async (session) => {
      for (const row of rows)
        if (row.kind === 'timed')
          results.set(row, resultOf(row, await measureTimed(row, { quick, workload, session })));
    },
  );
  await workload.dispose();
  return rows.map((row) => results.get(row) as Result);
}

function printTable(rows: readonly Row[], results: readonly Result[]): void {
  const table = new Table({ head: ['work', 'measured', 'at most', ''], style: { head: [], border: [] } });
  rows.forEach(({ name, unit }, i) => {
    const { ratio, limit, holds } = results[i] as Result;
    table.push([name, `${ratio.toFixed(2)} ${unit}`, limit.toFixed(2), holds ? 'holds' : 'NOT MET']);
  });
  print(table.toString());
}

const quick = process.argv.includes('--quick');
const only = process.argv[process.argv.indexOf('--only') + 1] ?? '';
const rows = process.argv.includes('--only') ? ROWS.filter(({ name }) => name.includes(only)) : ROWS;
const results = await measureAll(rows, quick);
printTable(rows, results);
const missed = results.filter(({ holds }) => !holds);
print(missed.length === 0 ? 'every limit holds' : `limits not met: ${missed.map(({ name }) => name).join('; ')}`);
if (rows.length === ROWS.length) {
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, node ${process.version}`;
  await writeFileAtomic(RESULTS, `${JSON.stringify({ machine, rows: results }, null, 2)}\n`);
}
