/** Patching of a task in a model, site by site, along paths, or with attention knocked out: grids, their record and their pictures. */
import { planKnockout, type Unit } from '../../interventions/patching/knockouts.js';
import { planGrids } from '../../interventions/patching/plan.js';
import { runGrids, type Patching, type PatchingGrid } from '../../interventions/patching/patching.js';
import { planPath, type Grouping } from '../../interventions/patching/paths.js';
import type { PlannedGrid } from '../../interventions/patching/types.js';
import type { By } from '../../text/divide.js';
import type { MlpsOnTheWay } from '../../engine/questions/paths.js';
import type { Direction } from '../../engine/sources/kinds.js';
import { refuse } from '../../errors.js';
import { meanOf } from '../../evaluation/statistics/intervals.js';
import { PATCHING } from '../../report/folders/patching.js';
import type { PatchingRecord } from '../../report/records/patching.js';
import { describeSidecar, type Sidecar } from '../../report/sidecar.js';
import type { CheckedTask, Example } from '../../task/types.js';
import { job, type Found, type JobRequest, type JobResult } from '../job.js';
import { pairsOf } from '../pairs.js';
import { openTask, type TaskRequest, type Workbench } from '../workbench.js';

/** What `thevenin patch` is asked. Only task and model have no default. */
export interface PatchRequest extends Omit<TaskRequest, 'split'>, JobRequest {
  /** what is asked, one of these: a grid's key, or `every` … */
  readonly grid: string | undefined;
  /** … or the address of a path … */
  readonly path: string | undefined;
  /** … or addresses of patterns with queries and keys, separated by commas */
  readonly knockout: string | undefined;
  /** undefined: denoising for grids, noising for everything else */
  readonly direction: Direction | undefined;
  /** undefined: as each grid has it: layers' sites by position, heads at all positions */
  readonly by: By | undefined;
  /** with `by: span`; undefined: every span of the task */
  readonly spans: readonly string[] | undefined;
  /** undefined: all */
  readonly layers: readonly number[] | undefined;
  /** of paths: do MLPs on the way keep what they say, or are they recomputed? */
  readonly mlps: MlpsOnTheWay;
  /** of paths: are the senders (receivers) of a pattern patched one by one or all at once? */
  readonly senders: Grouping;
  readonly receivers: Grouping;
  /** of knock-outs: what is knocked out at a time */
  readonly each: Unit;
  /** with `each: layer`, how many layers around each are knocked out together */
  readonly window: number;
  /** write values into the cells of the pictures */
  readonly numbers: boolean;
  /** layer 0 at the top of the pictures */
  readonly flip: boolean;
}

const PATCH_DEFAULTS: Omit<PatchRequest, 'task' | 'model'> = {
  out: undefined,
  grid: undefined,
  path: undefined,
  knockout: undefined,
  direction: undefined,
  by: undefined,
  spans: undefined,
  layers: undefined,
  mlps: 'kept',
  senders: 'each',
  receivers: 'together',
  each: 'all',
  window: 1,
  examples: undefined,
  numbers: false,
  flip: false,
  seed: 0,
  bos: undefined,
  runtime: 'auto',
  threads: undefined,
  memory: undefined,
};

export type PatchResult = JobResult<PatchingRecord>;

/** Replaces activations one at a time on every pair of the task. */
export const patch = job<PatchRequest, PatchingRecord, 'task' | 'model'>({
  name: 'patch',
  folder: PATCHING,
  defaults: PATCH_DEFAULTS,
  needs: ['task', 'model'],
  prepare: (asked) => async (bench, stages) => {
    const { task } = await openTask(bench.model, { ...asked, split: false });
    const { examples, metric } = task;
    const { kind, direction, plan } = plannerOf(asked);
    const grids = plan(bench, examples, asked);
    const of = { ...bench, examples, total: costOf(grids, examples.length) };
    const patching = await stages.rehearsed(titleOf(grids, direction), of, (engine, watch) =>
      runGrids(engine, examples, { metric, direction, grids, ...watch }),
    );
    const sidecars = patching.grids.map(sidecarOf);
    const { clean, corrupt } = patching;
    const pairs = pairsOf(bench.model, task, { results: { clean, corrupt } });
    return { record: recordOf({ kind, task, patching, sidecars }), sidecars, pairs };
  },
});

interface Planner {
  readonly kind: PatchingRecord['kind'];
  readonly direction: Direction;
  plan(bench: Workbench, examples: readonly Example[], asked: PatchRequest): PlannedGrid[];
}

/** What can be asked, by the field that asks for it; a new one is an entry here. */
const PLANNERS = {
  grid: {
    kind: 'activation-patching',
    direction: 'denoising',
    plan: ({ model: { config, tokenizer } }, examples, { grid = 'every', by, spans, layers }) => {
      const tokenText = tokenizer ? (id: number) => tokenizer.tokenText(id) : undefined;
      return planGrids(config, examples, { grid, by, spans, layers, tokenText });
    },
  },
  path: {
    kind: 'path-patching',
    direction: 'noising',
    plan: ({ engine: { universe } }, examples, { path = '', mlps, senders, receivers }) => [
      planPath(universe, examples, { path, mlps, senders, receivers }),
    ],
  },
  knockout: {
    kind: 'attention-knockout',
    direction: 'noising',
    plan: ({ model: { config } }, examples, { knockout = '', each, window, layers }) => [
      planKnockout(config, examples, { knockout, each, window, layers }),
    ],
  },
} as const satisfies Readonly<Record<string, Planner>>;

function plannerOf(asked: PatchRequest): Planner {
  const keys = Object.keys(PLANNERS) as (keyof typeof PLANNERS)[];
  const [key, ...others] = keys.filter((name) => asked[name] !== undefined);
  if (key === undefined || others.length > 0)
    return refuse(
      'interventions/grid',
      `patch asks for one thing at a time: give one of ${keys.map((name) => `--${name}`).join(', ')}${key === undefined ? '' : `, not ${[key, ...others].map((name) => `--${name}`).join(' and ')}`}`,
    );
  return { ...PLANNERS[key], direction: asked.direction ?? PLANNERS[key].direction };
}

const titleOf = (grids: readonly PlannedGrid[], direction: Direction): string =>
  grids.length === 1 ? `${direction}, ${grids[0]?.kind.title}` : `${direction}, ${grids.length} grids`;

const costOf = (grids: readonly PlannedGrid[], examples: number): number =>
  examples * grids.reduce((sum, { cells }) => sum + cells, 0);

const sidecarOf = ({ plan, perExample }: PatchingGrid): Sidecar => ({
  file: `${plan.kind.key}.npy`,
  data: perExample,
  shape: [...plan.axes.map(({ labels }) => labels.length), perExample.length / plan.cells],
  axes: [...plan.axes.map(({ name }) => name), 'example'],
  what: `metric of every pair under the intervention, ${plan.kind.title}`,
});

interface Patched {
  readonly kind: PatchingRecord['kind'];
  readonly task: CheckedTask;
  readonly patching: Patching;
  readonly sidecars: readonly Sidecar[];
}

function recordOf({ kind, task, patching, sidecars }: Patched): Found<PatchingRecord>['record'] {
  const [clean, corrupt] = [meanOf(patching.clean), meanOf(patching.corrupt)];
  const undefinedBecause = patching.grids.some(({ recovery }) => recovery === null)
    ? `clean and corrupt prompts have the same mean metric (${clean}), so there is nothing to recover`
    : null;
  return {
    kind,
    task: { name: task.name, sha256: task.digest, metric: task.metric, pairs: task.examples.length },
    direction: patching.direction,
    clean,
    corrupt,
    undefinedBecause,
    grids: patching.grids.map(({ plan, mean, recovery }, g) => ({
      grid: plan.kind.key,
      title: plan.kind.title,
      axes: plan.axes,
      mean: [...mean],
      recovery: recovery && [...recovery],
      perExample: describeSidecar(sidecars[g] as Sidecar),
    })),
  };
}
