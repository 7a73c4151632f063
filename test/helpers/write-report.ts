/** Run as a process: writes a small report to the folder named, and prints what became of it as JSON. */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { makeUniverse } from '../../src/circuit/universe.js';
import type { ReportRecord } from '../../src/report/records/report.js';
import { describeSidecar } from '../../src/report/sidecar.js';
import type { Sidecar } from '../../src/report/sidecar.js';
import { REPORT } from '../../src/report/folders/report.js';
import { writeRun } from '../../src/report/write.js';
import { recordOf } from './report.js';

/** A record about a small graph, with the sidecar every report has. */
export const reportOf = (
  nLayers: number,
  nHeads: number,
): { record: ReportRecord; sidecars: Sidecar[]; scores: Float64Array } => {
  const universe = makeUniverse({ nLayers, nHeads, hasMlp: true, parallelBlocks: false });
  const scores = Float64Array.from({ length: universe.edgeCount }, (_, e) => Math.sin(e * 12.9898));
  const sidecars = [{ file: 'scores.npy', data: scores, shape: [scores.length], axes: ['edge'], what: 'mean score' }];
  const record = recordOf(universe, scores, { sidecars: sidecars.map(describeSidecar) });
  return { record: { ...record, model: { ...record.model, config: { dModel: 64 } } }, sidecars, scores };
};

const [, script = '', dir = ''] = process.argv;
if (fileURLToPath(import.meta.url) === script) {
  const { record, sidecars } = reportOf(2, 2);
  const error: unknown = await writeRun({ out: dir }, REPORT, { record, sidecars }).catch((reason: unknown) => reason);
  const { code, message } = error as { code?: string; message?: string };
  console.log(JSON.stringify({ code, message, files: await readdir(dir) }));
}
