/** Causal scrubbing of a hypothesis on a task: figures, their record and their page. */
import { bootstrapInterval } from '../../evaluation/statistics/bootstrap.js';
import { estimateMean } from '../../evaluation/statistics/intervals.js';
import type { Unimportant } from '../../interventions/scrubbing/draw.js';
import { layOut } from '../../interventions/scrubbing/hypothesis.js';
import { loadHypothesis } from '../../interventions/scrubbing/load.js';
import { planScrub, scrub as scrubPlan, type Scrubbing, type ScrubPlan } from '../../interventions/scrubbing/scrub.js';
import { SCRUBBING } from '../../report/folders/scrubbing.js';
import { number } from '../../report/format.js';
import type { RecoveredShare, ScrubbingNode, ScrubbingRecord } from '../../report/records/scrubbing.js';
import { describeSidecar, sha256, type Sidecar } from '../../report/sidecar.js';
import type { CheckedTask, Example } from '../../task/types.js';
import { job, type Found, type JobRequest, type JobResult } from '../job.js';
import { pairsOf } from '../pairs.js';
import type { Stages } from '../stages.js';
import { openTask, type TaskRequest, type Workbench } from '../workbench.js';

/** What `thevenin scrub` is asked. Only task, model and hypothesis have no default. */
export interface ScrubRequest extends Omit<TaskRequest, 'split'>, JobRequest {
  /** a shipped hypothesis by its name, or a file */
  readonly hypothesis: string;
  /** how often every prompt is scrubbed */
  readonly draws: number;
  readonly unimportant: Unimportant;
}

const DEFAULTS: Omit<ScrubRequest, 'task' | 'model' | 'hypothesis'> = {
  out: undefined,
  draws: 10,
  unimportant: 'shared',
  examples: undefined,
  seed: 0,
  bos: undefined,
  runtime: 'auto',
  threads: undefined,
  memory: undefined,
};

export type ScrubResult = JobResult<ScrubbingRecord>;

/** Scrubs a hypothesis on the clean prompts of a task's pairs. */
export const scrub = job<ScrubRequest, ScrubbingRecord, 'task' | 'model' | 'hypothesis'>({
  name: 'scrub',
  folder: SCRUBBING,
  defaults: DEFAULTS,
  needs: ['task', 'model', 'hypothesis'],
  prepare: async (asked) => {
    const { file, text } = await loadHypothesis(asked.hypothesis);
    const digest = sha256(Buffer.from(text));
    return async (bench, stages) => {
      const { task } = await openTask(bench.model, { ...asked, split: false });
      const { draws, seed, unimportant } = asked;
      const options = { metric: task.metric, draws, seed, unimportant };
      const plan = planScrub(bench.engine, task.examples, layOut(file, bench.engine.universe), options);
      const found = await runPlan(bench, plan, stages);
      const sidecars = sidecarsOf(plan, found);
      const { clean, random, indices } = found;
      const examples = Array.from(indices, (place) => task.examples[place] as Example);
      const results = { clean, random, scrubbed: meanOverDraws(found, draws) };
      const pairs = pairsOf(bench.model, task, { examples, results, corrupt: false });
      return { record: recordOf({ task, plan, found, sidecars, digest }), sidecars, pairs };
    };
  },
});

/** What it costs is said before it begins. */
const runPlan = ({ engine }: Workbench, plan: ScrubPlan, stages: Stages): Promise<Scrubbing> => {
  const { hypothesis, pools, claims, options, cost } = plan;
  const steps = pools.length * options.draws * (1 + claims.length);
  return stages.run(`causal scrubbing of ${hypothesis.name}`, steps, (report) => {
    const mebibytes = number(cost.bytes / 2 ** 20);
    const note = `as much as ${number(cost.forwardPasses)} forward passes over each prompt; ${mebibytes} MiB kept`;
    report(0, note);
    return scrubPlan(engine, plan, { signal: stages.signal, onProgress: (done) => report(done, note) });
  });
};

function sidecarsOf({ options }: ScrubPlan, { scrubbed, clean, random, claims, indices }: Scrubbing): Sidecar[] {
  const count = indices.length;
  return [
    {
      ...{ file: 'scrubbed.npy', data: scrubbed, shape: [options.draws, count], axes: ['draw', 'example'] },
      what: 'metric of every prompt in every draw of the whole hypothesis; prompts pool by pool',
    },
    {
      ...{ file: 'claims.npy', data: joined(claims.map(({ values }) => values)), shape: [claims.length, count] },
      ...{ axes: ['claim', 'example'], what: 'metric where one claim alone is scrubbed, mean over draws' },
    },
    {
      ...{ file: 'prompts.npy', data: joined([Float64Array.from(indices), clean, random]), shape: [3, count] },
      ...{ axes: ['figure', 'example'], what: 'place of the pair in the task, metric of the prompt, and expected on a random one' }, // prettier-ignore
    },
  ];
}

const joined = (rows: readonly Float64Array[]): Float64Array => Float64Array.from(rows.flatMap((row) => [...row]));

interface Scrubbed {
  readonly task: CheckedTask;
  readonly plan: ScrubPlan;
  readonly found: Scrubbing;
  readonly sidecars: readonly Sidecar[];
  readonly digest: string;
}

function recordOf(given: Scrubbed): Found<ScrubbingRecord>['record'] {
  const { task, plan, found, sidecars, digest } = given;
  const { hypothesis, pools, leftOut, cost, options } = plan;
  const { draws, seed, unimportant } = options;
  const scrubbed = meanOverDraws(found, draws);
  return {
    kind: 'causal-scrubbing',
    task: { name: task.name, sha256: task.digest, metric: task.metric, pairs: task.examples.length, leftOut },
    hypothesis: {
      ...{ name: hypothesis.name, title: hypothesis.title, sources: [...hypothesis.sources], sha256: digest },
      nodes: hypothesis.nodes.map(describeNode),
    },
    settings: { draws, seed, unimportant },
    pools: pools.map(({ length, indices }) => ({ length, prompts: indices.length })),
    cost: { ...cost },
    clean: estimateMean(found.clean),
    random: estimateMean(found.random),
    scrubbed: estimateMean(scrubbed),
    recovered: recoveredShare(found, scrubbed, seed),
    claims: found.claims.map(({ node, kind, values, tested }) => ({
      ...{ node: node.name, kind, metric: estimateMean(values), tested },
      recovered: recoveredShare(found, values, seed),
    })),
    perExample: sidecars.map(describeSidecar),
  };
}

const meanOverDraws = ({ scrubbed, indices }: Scrubbing, draws: number): Float64Array => {
  const mean = new Float64Array(indices.length);
  scrubbed.forEach((value, i) => (mean[i % mean.length]! += value / draws));
  return mean;
};

/** (scrubbed − random) / (clean − random) of means over prompts, with its bootstrap interval. */
function recoveredShare({ clean, random }: Scrubbing, values: Float64Array, seed: number): RecoveredShare {
  const share = (places: Int32Array): number => {
    let [top, bottom] = [0, 0];
    for (const i of places) {
      top += values[i]! - random[i]!;
      bottom += clean[i]! - random[i]!;
    }
    return top / bottom;
  };
  const value = share(Int32Array.from(values, (_, i) => i));
  if (!Number.isFinite(value)) return null;
  const { low, high } = bootstrapInterval(values.length, share, { seed }) ?? { low: null, high: null };
  return { value, low, high };
}

const describeNode = ({ name, at, feature, reads, claim }: ScrubPlan['hypothesis']['root']): ScrubbingNode => ({
  ...{ name, at, claim },
  feature: feature?.map(({ title }) => title) ?? null,
  reads: reads && [...reads].map(([by, children]) => ({ by, nodes: children.map((child) => child.name) })),
});
