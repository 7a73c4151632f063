import { expect } from 'chai';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { discover } from '../../src/jobs/discover/discover.js';
import { golden, inTemporaryFolder, refused, writeFiles } from '../helpers/model-files.js';

const TASK = {
  ...{ name: 'mine', metric: 'logit-difference', bos: false },
  pairs: [1, 2].map((first) => ({ clean: [first, 2, 3], corrupt: [first, 9, 3], correct: 5, incorrect: 6 })),
};

describe('the journal of exact effects', () => {
  const inFolder = (
    work: (of: { journal: string; find: (more?: object) => ReturnType<typeof discover> }) => Promise<void>,
  ): Promise<void> =>
    inTemporaryFolder(async (folder) => {
      writeFiles(folder, { 'task.json': TASK });
      const journal = join(folder, 'effects.jsonl');
      const common = { task: join(folder, 'task.json'), model: golden('architectures', 'gpt2'), runtime: 'reference' };
      const fast = { force: true, split: false, randomCircuits: 0, exactEdges: 0 };
      await work({ journal, find: (more = {}) => discover({ ...common, ...fast, method: 'exact', journal, ...more }) });
    });

  it('holds every edge with its effect on every pair, strongest estimate first, and a run goes on from it', () =>
    inFolder(async ({ journal, find }) => {
      const { record } = await find();
      const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
      expect(lines).to.have.lengthOf(1 + record.graph.edges);
      const first = JSON.parse(lines[1]!) as { edge: string; effects: number[] };
      expect(first.effects).to.have.lengthOf(2);
      // what is in the journal is believed, so a changed number shows where it was read from
      const changed = JSON.stringify({ edge: first.edge, effects: [1000, 3000] });
      writeFileSync(journal, [lines[0], changed, ...lines.slice(2), ''].join('\n'));
      const again = await find();
      const found = again.record.circuit.edges.find(({ name }) => name === first.edge);
      expect(found).to.include({ score: 2000 });
    }));

  it('loses no more than a line that was cut short', () =>
    inFolder(async ({ journal, find }) => {
      const whole = await find();
      const text = readFileSync(journal, 'utf8');
      writeFileSync(journal, text.slice(0, -7));
      const again = await find();
      expect(again.record.circuit).to.deep.equal(whole.record.circuit);
      expect(readFileSync(journal, 'utf8').split('\n')).to.have.lengthOf(text.split('\n').length);
    }));

  it('refuses one of another run, and what is no journal', () =>
    inFolder(async ({ journal, find }) => {
      await find();
      await refused(find({ source: 'zero' }), 'discovery/journal', 'another run', 'source');
      appendFileSync(journal, '{"edge":"a9.h9->logits","effects":[1,2]}\n');
      await refused(find(), 'discovery/journal', 'not an edge');
      writeFileSync(journal, 'dear diary\n');
      await refused(find(), 'discovery/journal', 'not JSON');
      await refused(find({ method: 'eap' }), 'cli/usage', '--journal', 'eap');
    }));
});
