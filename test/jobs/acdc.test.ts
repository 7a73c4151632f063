import { expect } from 'chai';
import { join } from 'node:path';
import { discover } from '../../src/jobs/discover/discover.js';
import type { DiscoverRequest } from '../../src/jobs/discover/request.js';
import { golden, inTemporaryFolder, refused, writeFiles } from '../helpers/model-files.js';

const MODEL = golden('architectures', 'gpt2');
const TASK = {
  ...{ name: 'mine', metric: 'logit-difference', bos: false },
  pairs: [1, 2, 3, 4].map((first) => ({ clean: [first, 2, 3], corrupt: [first, 9, 3], correct: 5, incorrect: 6 })),
};

describe('discovering with ACDC', () => {
  const find = (setting: Partial<DiscoverRequest>) =>
    inTemporaryFolder((folder) => {
      writeFiles(folder, { 'task.json': TASK });
      const task = join(folder, 'task.json');
      const common = { task, model: MODEL, runtime: 'reference', force: true, split: false, method: 'acdc' };
      return discover({ ...common, holds: 'metric', randomCircuits: 2, exactEdges: 0, ...setting });
    });

  it('reports the circuit found, with threshold, order and test, whatever --edges says', async () => {
    const { record } = await find({ tau: 0.05, order: 'normal', edges: 1 });
    expect(record.settings.method.title).to.equal('ACDC τ 0.05 of the metric, normal, signed');
    expect(record.settings.selection).to.deep.equal({ rule: 'acdc', by: 'signed', requested: record.circuit.chosen });
    expect(record.circuit.edgeCount).to.be.above(1).and.below(record.graph.edges);
    const { tried, circuits, passes } = record.search!;
    expect(tried).to.be.at.least(passes).and.at.most(record.graph.edges);
    expect(circuits).to.be.at.least(tried);
    for (const { score } of record.circuit.edges) expect(score).to.be.at.least(0.05); // what cutting it would have cost
  });

  it('keeps nothing at an infinite price and everything that is heard at a price below all', async () => {
    expect((await find({ tau: 1e9 })).record.circuit.edgeCount).to.equal(0);
    const { circuit, graph } = (await find({ tau: -1e9 })).record;
    expect(circuit.edgeCount).to.equal(graph.edges);
  });

  it('refuses a threshold that is no number', () => refused(find({ tau: NaN }), 'discovery/search', '--tau'));
});
