/** circuit.json: all edges' scores and which are in, in the EAP-IG / MIB exchange format; compressed when it is large. */
import { gzipSync } from 'node:zlib';
import { invariant } from '../../errors.js';
import { makeUniverse } from '../../circuit/universe.js';
import { writeExchange } from '../formats/exchange.js';
import { SCORES_FILE } from '../sidecar.js';
import type { ReportRecord } from '../records/report.js';
import type { Saved, View } from '../view.js';

/** above this many edges the file is compressed */
const LARGE = 10_000;

const exchangeText = ({ record, sidecars }: Saved<ReportRecord>): string => {
  const universe = makeUniverse(record.graph.shape);
  const scores = sidecars.find(({ file }) => file === SCORES_FILE)?.data;
  invariant(scores instanceof Float64Array, `a report has ${SCORES_FILE}, float64 [edge]`);
  const edges = new Uint8Array(universe.edgeCount);
  for (const { index } of record.circuit.edges) edges[index] = 1;
  return writeExchange({ universe, dModel: Number(record.model.config['dModel']), scores, edges });
};

export const circuitJson: View<ReportRecord> = {
  key: 'circuit-json',
  title: "the circuit in EAP-IG's and MIB's exchange format",
  files: ['circuit.json', 'circuit.json.gz'],
  render: (report) => {
    const content = exchangeText(report);
    const { graph, request } = report.record;
    if (request?.['plain'] === true || graph.edges <= LARGE) return [{ file: 'circuit.json', content }];
    return [{ file: 'circuit.json.gz', content: gzipSync(content) }];
  },
};
