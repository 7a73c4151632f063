import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { discover } from '../../src/jobs/discover/discover.js';
import type { DiscoverRequest } from '../../src/jobs/discover/request.js';
import { golden, inTemporaryFolder, refused, writeFiles } from '../helpers/model-files.js';

const TASK = {
  ...{ name: 'mine', metric: 'logit-difference', bos: false },
  pairs: [1, 2].map((first) => ({ clean: [first, 2, 3], corrupt: [first, 9, 3], correct: 5, incorrect: 6 })),
};

describe('a diagnosis of what a ranking missed', () => {
  const find = (setting: Partial<DiscoverRequest>) =>
    inTemporaryFolder(async (folder) => {
      writeFiles(folder, { 'task.json': TASK });
      const common = {
        model: golden('architectures', 'gpt2'),
        runtime: 'reference',
        force: true,
        split: false,
      } as const;
      const out = join(folder, 'report');
      const { record } = await discover({
        ...{ ...common, task: join(folder, 'task.json'), method: 'eap', edges: 20, randomCircuits: 1 },
        ...{ exactEdges: 5, out, ...setting },
      });
      const read = (file: string): string => readFileSync(join(out, file), 'utf8');
      return { record, text: read('report.md'), page: read('report.html') };
    });

  it('stands in the record, the text and the page: the bound, and suspects with their exact effects', async () => {
    const { record, text, page } = await find({ diagnose: 120 });
    const missed = record.missed!;
    expect(missed).to.include({ samples: 120, probability: 0.05, confidence: 0.95, among: record.graph.edges - 5 });
    expect(missed.suspects).to.have.lengthOf(10);
    const known = new Set(record.topEdges.filter(({ exact }) => exact !== null).map(({ name }) => name));
    for (const { name, exact, bound } of missed.suspects) {
      expect(known.has(name), `${name} was measured already`).to.equal(false);
      expect(Math.abs(exact), name).to.be.at.most(bound ?? Infinity);
    }
    for (const view of [text, page])
      expect(view).to.contain('What may have been missed').and.contain('120 random subsets');
  }).timeout(60_000);

  it('is not made unless it is asked for', async () => {
    const { record, text } = await find({});
    expect(record.missed).to.equal(null);
    expect(text).to.not.contain('missed');
  });

  it('refuses too few subsets before anything runs', () =>
    refused(find({ diagnose: 10 }), 'evaluation/samples', '100'));
});
