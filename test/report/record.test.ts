import { expect } from 'chai';
import { recordProblem } from '../../src/report/check.js';
import { REPORT_SCHEMA } from '../../src/report/records/report.js';
import { makeUniverse } from '../../src/circuit/universe.js';
import { expectGolden } from '../helpers/golden.js';
import { recordOf } from '../helpers/report.js';

const universe = makeUniverse({ nLayers: 2, nHeads: 2, hasMlp: true, parallelBlocks: false });
const record = recordOf(
  universe,
  Float64Array.from({ length: universe.edgeCount }, (_, e) => Math.cos(e)),
);

describe('the report record', () => {
  it('has a published schema that is the one in the code', () => {
    expectGolden('schemas/report.schema.json', `${JSON.stringify(REPORT_SCHEMA, null, 2)}\n`);
  });

  it('fits its schema, and still does after a trip through JSON', () => {
    expect(recordProblem(record)).to.equal(null);
    expect(recordProblem(JSON.parse(JSON.stringify(record)))).to.equal(null);
    expect(JSON.parse(JSON.stringify(record))).to.deep.equal(record);
  });

  it('does not fit when a field is missing, unknown, or of another kind, and says where', () => {
    const { evaluation: _, ...without } = record;
    expect(recordProblem(without)).to.contain("must have required property 'evaluation'");
    expect(recordProblem({ ...record, extra: 1 })).to.contain('must NOT have additional properties');
    expect(recordProblem({ ...record, graph: { ...record.graph, edges: -1 } })).to.contain('/graph/edges must be >= 0');
    const sidecars = [{ file: 'x.npy', sha256: 'short', dtype: '<f8', shape: [1], axes: ['edge'], what: '' }];
    expect(recordProblem({ ...record, sidecars })).to.contain('/sidecars/0/sha256');
  });
});
