/** Steering a task: a vector from a contrast of prompts, doses of it, what the model then writes; their record and its page. */
import { parseAddress, printSite } from '../../circuit/address.js';
import type { PromptSide } from '../../engine/model-run/prompts.js';
import { checkContinuations, continueSteered, type Continuation } from '../../interventions/steering/continuations.js';
import { SAMPLING_DEFAULTS, type Sampling } from '../../interventions/steering/sampling.js';
import { planPlaces, type SteeringPlaces } from '../../interventions/steering/places.js';
import {
  findSteeringSite,
  plainPrompt,
  planContrast,
  steeringVector,
  type PlannedContrast,
  type SteeringVector,
  type ContrastVector,
} from '../../interventions/steering/vectors.js';
import { checkCoefficients, steerTask, type Steering } from '../../interventions/steering/steering.js';
import type { Model } from '../../model/types.js';
import { STEERING } from '../../report/folders/steering.js';
import type { SteeringRecord } from '../../report/records/steering.js';
import { describeSidecar, type Sidecar } from '../../report/sidecar.js';
import type { Prompt } from '../../task/files/prompt-set.js';
import type { CheckedTask, Example } from '../../task/types.js';
import { promptIds, promptText } from '../prompt-ids.js';
import { job, type Found, type JobRequest, type JobResult } from '../job.js';
import type { Stages } from '../stages.js';
import { openContrast, sourceOf, type ContrastRequest, type ContrastSource } from './steering-contrast.js';
import { continuationRecords, divergenceRecords, doseRecords, unsteeredRecord } from './steering-records.js';
import { pairsOf } from '../pairs.js';
import { openTask, type TaskRequest, type Workbench } from '../workbench.js';

/** What `thevenin steer` is asked. Task, model and site have no default. */
export interface SteerRequest extends TaskRequest, ContrastRequest, JobRequest {
  /** address of the site that the vector is read from and added to: resid6.pre, a6.out, m6, a6.h1 … */
  readonly site: string;
  /** front | all | after | each | a span; undefined: front for a prompt pair, else after */
  readonly at: string | undefined;
  readonly coefficients: readonly number[];
  /** which prompts are steered */
  readonly side: PromptSide;
  /** how many prompts are continued, or the one that is, instead */
  readonly prompts: number;
  readonly prompt: Prompt | undefined;
  /** with which coefficients; undefined: the least and the greatest */
  readonly continueAt: readonly number[] | undefined;
  /** continuations of each prompt; 0: none; undefined: one, where the model can write on */
  readonly samples: number | undefined;
  /** undefined: up to 20, as many as the model reads */
  readonly tokens: number | undefined;
  readonly temperature: number;
  readonly topK: number | undefined;
  readonly topP: number | undefined;
}

const DEFAULTS: Omit<SteerRequest, 'task' | 'model' | 'site'> = {
  ...{ out: undefined, plus: undefined, minus: undefined, plusSet: undefined, minusSet: undefined, pad: ' ' },
  ...{ read: undefined, at: undefined, coefficients: [-2, -1, -0.5, 0, 0.5, 1, 2], side: 'clean' },
  ...{ prompts: 3, prompt: undefined, continueAt: undefined, samples: undefined, tokens: undefined },
  ...{ temperature: SAMPLING_DEFAULTS.temperature, topK: undefined, topP: undefined },
  ...{ examples: undefined, seed: 0, bos: undefined, split: true },
  ...{ runtime: 'auto', threads: undefined, memory: undefined },
};

export type SteerResult = JobResult<SteeringRecord>;

/** Adds a vector at a site of the model on the task's pairs, once for each coefficient. */
export const steer = job<SteerRequest, SteeringRecord, 'task' | 'model' | 'site'>({
  name: 'steer',
  folder: STEERING,
  defaults: DEFAULTS,
  needs: ['task', 'model', 'site'],
  mixed: ['pad'], // a text or a token id
  prepare: (asked) => {
    const source = sourceOf(asked);
    checkCoefficients(asked.coefficients);
    return async (bench, stages) => {
      const { model, engine } = bench;
      const { task } = await openTask(model, { ...asked, split: source === 'task' && asked.split });
      const plan = await planAll(model, task, { asked, source });
      const vector = await stages.run('steering vector', 1, () => steeringVector(engine, plan.contrast));
      const steering = await runDoses(bench, { plan, vector, stages, metric: task.metric });
      const continuations = await writeOn(bench, { plan, vector, stages });
      const sidecars = sidecarsOf(plan, vector, steering);
      const record = recordOf(model, { asked, source, task, plan, vector, steering, continuations, sidecars });
      const { clean, corrupt, unsteered } = steering;
      const results = { clean, corrupt, unsteered: unsteered.metric };
      const pairs = pairsOf(model, task, { examples: plan.examples, results });
      return { record, sidecars, pairs };
    };
  },
});

/** Everything that is run, checked. */
interface Plan {
  readonly asked: SteerRequest;
  readonly contrast: PlannedContrast;
  /** pairs that are steered: where the task's own prompts make the vector, those that it has not seen */
  readonly examples: readonly Example[];
  readonly places: SteeringPlaces;
  /** prompts that are continued; none where nothing is sampled */
  readonly prompts: readonly Example[];
  readonly sampling: Sampling | null;
  readonly continueAt: readonly number[];
}

async function planAll(
  model: Model,
  task: CheckedTask,
  { asked, source }: { asked: SteerRequest; source: ContrastSource },
): Promise<Plan> {
  const site = findSteeringSite(model.config, asked.site);
  const contrast = planContrast(site, await openContrast(model, task, { asked, source }));
  const examples =
    source === 'task' ? task.splits.report.map((place) => task.examples[place] as Example) : task.examples;
  const tokenText = model.tokenizer ? (id: number): string => model.tokenizer!.tokenText(id) : undefined;
  const places = planPlaces(examples, { rows: contrast.rows, at: asked.at, tokenText });
  const own = asked.prompt === undefined ? examples.slice(0, asked.prompts) : [plainPrompt(promptIds(model, asked.prompt, task.bos))]; // prettier-ignore
  const sampling = samplingOf(model, own, { asked, places });
  if (sampling) {
    checkContinuations(model.config, own, { places, sampling, side: asked.side });
    if (asked.prompt !== undefined) planPlaces(own, { rows: contrast.rows, at: places.at });
  }
  const extremes = [Math.min(...asked.coefficients), Math.max(...asked.coefficients)];
  const continueAt = [...new Set(asked.continueAt ?? extremes)].filter((coefficient) => coefficient !== 0);
  return { asked, contrast, examples, places, prompts: sampling ? own : [], sampling, continueAt };
}

const MOST_TOKENS = SAMPLING_DEFAULTS.tokens;

/** Null where nothing is written: not asked for, or nobody said and the model cannot. */
function samplingOf(
  { config }: Model,
  prompts: readonly Example[],
  { asked, places }: { asked: SteerRequest; places: SteeringPlaces },
): Sampling | null {
  const longest = Math.max(0, ...prompts.map((example) => example[asked.side].length));
  const room = config.nCtx - longest;
  const can =
    config.attention === 'causal' && config.dVocab === config.dVocabOut && room > 0 && places.labels.length === 1;
  const samples = asked.samples ?? (can && prompts.length > 0 ? SAMPLING_DEFAULTS.samples : 0);
  if (samples === 0) return null;
  const tokens = asked.tokens ?? Math.max(1, Math.min(MOST_TOKENS, room));
  const { temperature, topK, topP, seed } = asked;
  return { tokens, temperature, topK, topP, samples, seed };
}

interface Running {
  readonly plan: Plan;
  readonly vector: SteeringVector;
  readonly stages: Stages;
}

function runDoses(
  { engine }: Workbench,
  { plan, vector, stages, metric }: Running & { readonly metric: CheckedTask['metric'] },
): Promise<Steering> {
  const { examples, places, asked } = plan;
  const { coefficients, side } = asked;
  const total = examples.length * places.labels.length * coefficients.length;
  return stages.rehearsed('doses', { engine, examples, total }, (own, watch) =>
    steerTask(own, examples, { vector, places, coefficients, metric, side, ...watch }),
  );
}

async function writeOn({ engine }: Workbench, { plan, vector, stages }: Running): Promise<Continuation[]> {
  const { sampling, prompts, places, continueAt, asked } = plan;
  if (sampling === null) return [];
  const total = prompts.length * sampling.samples * (1 + continueAt.length) * sampling.tokens;
  return stages.run('continuations', total, (report) =>
    continueSteered(engine, prompts, {
      ...{ vector, places, coefficients: continueAt, side: asked.side, sampling },
      ...{ signal: stages.signal, onProgress: (done) => report(done) },
    }),
  );
}

function sidecarsOf(
  { places, asked, examples }: Plan,
  { values, rows }: SteeringVector,
  { doses }: Steering,
): Sidecar[] {
  const data = Float64Array.from(doses.flatMap(({ metric }) => [...metric]));
  return [
    {
      ...{ file: 'steering.npy', data, shape: [places.labels.length, asked.coefficients.length, examples.length] },
      ...{ axes: ['place', 'coefficient', 'example'], what: 'metric of every pair, steered' },
    },
    {
      ...{ file: 'vector.npy', data: values, shape: [rows, values.length / rows] },
      ...{ axes: ['row', 'd'], what: 'the vector, before it is multiplied by a coefficient' },
    },
  ];
}

interface Steered {
  readonly asked: SteerRequest;
  readonly source: ContrastSource;
  readonly task: CheckedTask;
  readonly plan: Plan;
  readonly vector: ContrastVector;
  readonly steering: Steering;
  readonly continuations: readonly Continuation[];
  readonly sidecars: readonly Sidecar[];
}

function recordOf(model: Model, found: Steered): Found<SteeringRecord>['record'] {
  const { asked, source, task, plan, vector, steering, continuations } = found;
  const { contrast, places, examples, sampling } = plan;
  const [perExample, values] = found.sidecars.map(describeSidecar);
  return {
    kind: 'steering',
    task: { name: task.name, sha256: task.digest, metric: task.metric, pairs: examples.length },
    vector: {
      site: printSite(parseAddress(asked.site).stops[0]!),
      source,
      plus: describeSide(model, contrast.plus),
      minus: describeSide(model, contrast.minus),
      read: contrast.read,
      rows: vector.rows,
      norm: meanNorm(vector),
      agreement: vector.agreement,
    },
    steered: {
      prompts: asked.side,
      split: source === 'task' && !task.splits.whole ? 'report' : 'all',
      ...{ at: places.at, places: [...places.labels] },
    },
    coefficients: [...asked.coefficients],
    ...unsteeredRecord(steering, asked.seed),
    doses: doseRecords(model, steering, { places: places.labels, seed: asked.seed }),
    sampling: sampling && { ...sampling, topK: sampling.topK ?? null, topP: sampling.topP ?? null },
    continuations: continuationRecords(model, continuations, { prompts: plan.prompts, side: asked.side, own: asked.prompt !== undefined }), // prettier-ignore
    divergences: divergenceRecords(continuations, asked.seed),
    perExample: perExample!,
    values: values!,
  };
}

const SHOWN_PROMPTS = 3;

const describeSide = (model: Model, { examples, side }: PlannedContrast['plus']): SteeringRecord['vector']['plus'] => ({
  prompts: examples.length,
  first: examples.slice(0, SHOWN_PROMPTS).map((example) => promptText(model, example[side])),
});

function meanNorm({ values, rows }: SteeringVector): number {
  const d = values.length / rows;
  const norms = Array.from({ length: rows }, (_, row) => Math.hypot(...values.subarray(row * d, (row + 1) * d)));
  return norms.reduce((sum, norm) => sum + norm, 0) / rows;
}
