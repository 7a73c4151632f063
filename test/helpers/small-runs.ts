/** A run of every kind on a model of two layers, in a second or less. */
import { join } from 'node:path';
import { nodes } from '../../src/jobs/attribution/nodes.js';
import { makeUniverse } from '../../src/circuit/universe.js';
import { evaluate } from '../../src/jobs/circuits/evaluate.js';
import { writeExchange } from '../../src/report/formats/exchange.js';
import { tokens } from '../../src/jobs/attribution/tokens.js';
import { discover } from '../../src/jobs/discover/discover.js';
import { predict } from '../../src/jobs/inspect/predict.js';
import { causalTrace } from '../../src/jobs/interventions/causal-trace.js';
import { patch } from '../../src/jobs/interventions/patch.js';
import { scrub } from '../../src/jobs/interventions/scrub.js';
import { steer } from '../../src/jobs/interventions/steer.js';
import { trace } from '../../src/jobs/interventions/trace.js';
import { golden, inTemporaryFolder, writeFiles } from './model-files.js';

const SMALL_MODEL = golden('architectures', 'gpt2');
const TASK = {
  ...{ name: 'mine & <yours>', metric: 'logit-difference', bos: false },
  pairs: [
    { clean: [1, 2, 3, 4], corrupt: [1, 9, 3, 4], correct: 5, incorrect: 6, spans: { subject: [1, 2] } },
    { clean: [7, 2, 3, 4], corrupt: [7, 8, 3, 4], correct: 6, incorrect: 5, spans: { subject: [1, 2] } },
    { clean: [7, 6, 3, 4], corrupt: [7, 9, 3, 4], correct: 6, incorrect: 5, spans: { subject: [1, 2] } },
  ],
};
const HYPOTHESIS = {
  name: 'one head',
  nodes: { out: { at: 'logits', reads: ['head'] }, head: { at: 'a1.h0', feature: [{ tokens: 'subject' }] } },
};
const [PROMPT, SUBJECT] = ['one dog is', 'dog'];

interface Asked {
  readonly task: string;
  readonly model: string;
  readonly runtime: string;
  readonly out: string;
}

/** By the key of the folder that they leave. */
export const SMALL_RUNS: Readonly<Record<string, (asked: Asked, folder: string) => Promise<{ readonly record: object }>>> = {
  report: (asked) => discover({ ...asked, edges: 12, split: false, force: true, randomCircuits: 3, exactEdges: 5, plain: true }),
  evaluation: (asked, folder) => {
    const universe = makeUniverse({ nLayers: 3, nHeads: 4, hasMlp: true, parallelBlocks: false });
    const edges = new Uint8Array(universe.edgeCount).fill(1);
    const text = writeExchange({ universe, dModel: 32, scores: new Float64Array(universe.edgeCount), edges });
    writeFiles(folder, { 'circuit.json': JSON.parse(text) as object });
    return evaluate({ ...asked, circuit: join(folder, 'circuit.json'), split: false, force: true, randomCircuits: 2 });
  },
  patching: (asked) => patch({ ...asked, grid: 'every', numbers: true }),
  nodes: (asked) => nodes({ ...asked, site: ['z', 'mlp-out'], by: 'position', top: 3, sample: 2 }),
  hops: (asked) => trace({ ...asked, depth: 2, width: 2 }),
  tokens: (asked) => tokens({ ...asked, method: 'loo' }),
  steering: (asked) => steer({ ...asked, site: 'resid1.pre', tokens: 2, split: false }),
  scrubbing: (asked, folder) => scrub({ ...asked, hypothesis: join(folder, 'hypothesis.json'), draws: 2 }),
  tracing: async ({ model, runtime, out }, folder) => {
    const { top } = await predict({ prompt: PROMPT, model, runtime, top: 1, bos: undefined, threads: undefined });
    writeFiles(folder, { 'facts.json': [{ prompt: PROMPT, subject: SUBJECT, attribute: top[0]!.text!.trim() }] });
    return causalTrace({ facts: join(folder, 'facts.json'), model, runtime, out, samples: 2, window: 2 });
  },
}; // prettier-ignore

/** @param work is given the folder of the run, the files that it read beside it */
export const withSmallRun = (key: string, work: (run: string) => Promise<unknown>): Promise<unknown> =>
  inTemporaryFolder(async (folder) => {
    writeFiles(folder, { 'task.json': TASK, 'hypothesis.json': HYPOTHESIS });
    const out = join(folder, 'run');
    await SMALL_RUNS[key]!({ task: join(folder, 'task.json'), model: SMALL_MODEL, runtime: 'reference', out }, folder);
    return work(out);
  });
