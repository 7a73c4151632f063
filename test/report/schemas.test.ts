/** Records of jobs fit the schemas that are published for them, and nothing else does. */
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordFile, recordProblem } from '../../src/report/check.js';
import { RUN_FOLDERS } from '../../src/report/folders/index.js';
import { makeUniverse } from '../../src/circuit/universe.js';
import { writeExchange } from '../../src/report/formats/exchange.js';
import { evaluate } from '../../src/jobs/circuits/evaluate.js';
import { causalTrace } from '../../src/jobs/interventions/causal-trace.js';
import { nodes } from '../../src/jobs/attribution/nodes.js';
import { patch } from '../../src/jobs/interventions/patch.js';
import { predict } from '../../src/jobs/inspect/predict.js';
import { steer } from '../../src/jobs/interventions/steer.js';
import { tokens } from '../../src/jobs/attribution/tokens.js';
import { scrub } from '../../src/jobs/interventions/scrub.js';
import { trace } from '../../src/jobs/interventions/trace.js';
import { golden, inTemporaryFolder, writeFiles } from '../helpers/model-files.js';

const MODEL = golden('architectures', 'gpt2');
const TASK = {
  ...{ name: 'mine', metric: 'logit-difference', bos: false },
  pairs: [
    { clean: [1, 2, 3, 4], corrupt: [1, 9, 3, 4], correct: 5, incorrect: 6, spans: { subject: [1, 2] } },
    { clean: [7, 2, 3, 4], corrupt: [7, 8, 3, 4], correct: 6, incorrect: 5, spans: { subject: [1, 2] } },
  ],
};

const HYPOTHESIS = {
  name: 'one head',
  nodes: { out: { at: 'logits', reads: ['head'] }, head: { at: 'a1.h0', feature: [{ tokens: 'subject' }] } },
};

type Ask = (of: { task: string; model: string; runtime: string }, folder: string) => Promise<{ record: object }>;

/** A job for every schema but the report's, which has tests of its own. */
const JOBS: Readonly<Record<string, Ask>> = {
  evaluation: (of, folder) => {
    const universe = makeUniverse({ nLayers: 3, nHeads: 4, hasMlp: true, parallelBlocks: false });
    const edges = new Uint8Array(universe.edgeCount).fill(1);
    const scores = new Float64Array(universe.edgeCount);
    writeFiles(folder, { 'circuit.json': JSON.parse(writeExchange({ universe, dModel: 4, scores, edges })) as object });
    const circuit = join(folder, 'circuit.json');
    return evaluate({ ...of, circuit, split: false, force: true, randomCircuits: 2 });
  },
  nodes: (of) => nodes({ ...of, site: ['z', 'mlp-out'], by: 'position', top: 3, sample: 2 }),
  patching: (of) => patch({ ...of, grid: 'every' }),
  hops: (of) => trace({ ...of, depth: 2, width: 2 }),
  tokens: (of) => tokens({ ...of, method: 'loo' }),
  scrubbing: (of, folder) => {
    writeFiles(folder, { 'hypothesis.json': HYPOTHESIS });
    return scrub({ ...of, hypothesis: join(folder, 'hypothesis.json'), draws: 2 });
  },
  steering: (of) => steer({ ...of, site: 'resid1.pre', tokens: 2, split: false }),
  tracing: async ({ model, runtime }, folder) => {
    const prompt = 'one dog is';
    const { top } = await predict({ prompt, model, runtime, top: 1, bos: undefined, threads: undefined });
    writeFiles(folder, { 'facts.json': [{ prompt, subject: 'dog', attribute: top[0]!.text!.trim() }] });
    return causalTrace({ facts: join(folder, 'facts.json'), model, runtime, samples: 2, window: 2 });
  },
};

describe('the schemas of records', () => {
  it('are published, one file for each', () => {
    const files = readdirSync(new URL('../../schemas', import.meta.url));
    for (const { key, schema } of RUN_FOLDERS) {
      expect(files).to.include(`${key}.schema.json`);
      const text = readFileSync(new URL(`../../schemas/${key}.schema.json`, import.meta.url), 'utf8');
      expect(JSON.parse(text)).to.deep.equal(JSON.parse(JSON.stringify(schema)));
    }
  });

  it('are each held to a real record', () => {
    expect(RUN_FOLDERS.map(({ key }) => key)).to.have.members(['report', ...Object.keys(JOBS)]);
  });

  for (const [key, job] of Object.entries(JOBS))
    it(`${key}: what a job records fits, through JSON too; a field more, fewer or of another kind does not`, () =>
      inTemporaryFolder(async (folder) => {
        writeFiles(folder, { 'task.json': TASK });
        const asked = { task: join(folder, 'task.json'), model: MODEL, runtime: 'reference' };
        const { record } = await job(asked, folder);
        const { schema } = RUN_FOLDERS.find((folder) => folder.key === key)!;
        expect(recordProblem(record, schema)).to.equal(null);
        expect(recordProblem(JSON.parse(JSON.stringify(record)), schema)).to.equal(null);
        expect(recordProblem({ ...record, extra: 1 }, schema)).to.contain('additional properties');
        expect(recordProblem({ ...record, task: undefined }, schema)).to.contain("property 'task'");
        expect(recordProblem({ ...record, timings: { startedAt: '', totalSeconds: -1 } }, schema)).to.contain(
          '/timings',
        );
        expect(recordProblem({ ...record, kind: 'another' }, schema)).to.contain('/kind');
        expect(() => recordFile('x.json', { ...record, extra: 1 }, schema)).to.throw('x.json fits its schema');
        expect(recordFile('x.json', record, schema).content).to.equal(`${JSON.stringify(record, null, 2)}\n`);
      }));
});
