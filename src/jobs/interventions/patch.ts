/** Patching of a task in a model, site by site, along paths, or with attention knocked out: grids, their record and their pictures. */
import { basename } from 'node:path';
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
import { packageVersion } from '../../package.js';
import type { ProgressListener } from '../../progress.js';
import { recordFile } from '../../report/check.js';
import { drawHeatMap } from '../../report/charts/heat-map/svg.js';
import { encodeNpy } from '../../report/formats/npy.js';
import { patchingPage } from '../../report/pages/patching.js';
import { PATCHING_SCHEMA, type PatchingRecord } from '../../report/records/patching.js';
import { describeSidecar, type Sidecar } from '../../report/sidecar.js';
import { writeFiles } from '../../report/write.js';
import type { Example } from '../../task/types.js';
import { Stages } from '../stages.js';
import { openTask, withWorkbench, type TaskRequest, type Workbench } from '../workbench.js';

/** What `thevenin patch` is asked. Only task and model have no default. */
export interface PatchRequest extends Omit<TaskRequest, 'split'> {
  readonly model: string;
  /** folder of the result; undefined: nothing is written */
  readonly out: string | undefined;
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
  readonly runtime: string;
  readonly threads: number | undefined;
  readonly memory: number | undefined;
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
  seed: 0,
  bos: undefined,
  runtime: 'auto',
  threads: undefined,
  memory: undefined,
};

export interface PatchResult {
  readonly record: PatchingRecord;
  readonly sidecars: readonly Sidecar[];
  /** files written, the page first; empty without `out` */
  readonly written: readonly string[];
}

/**
 * Replaces activations one at a time on every pair of the task.
 * @throws TheveninError for every fault of the input, before any compute
 */
export async function patch(
  request: Partial<PatchRequest> & Pick<PatchRequest, 'task' | 'model'>,
  options: { readonly signal?: AbortSignal; readonly onProgress?: ProgressListener } = {},
): Promise<PatchResult> {
  const asked: PatchRequest = { ...PATCH_DEFAULTS, ...request };
  const stages = new Stages(options.onProgress ?? (() => undefined), options.signal ?? new AbortController().signal);
  return withWorkbench(asked, async (bench) => {
    const { task } = await openTask(bench.model, { ...asked, split: false });
    const { out } = asked;
    const { kind, direction, plan } = plannerOf(asked);
    const grids = plan(bench, task.examples, asked);
    const patching = await stages.run(titleOf(grids, direction), costOf(grids, task.examples.length), (report) =>
      runGrids(bench.engine, task.examples, {
        metric: task.metric,
        direction,
        grids,
        signal: stages.signal,
        onProgress: (done) => report(done),
      }),
    );
    const sidecars = patching.grids.map(sidecarOf);
    const record = await recordOf(bench, { kind, task, patching, sidecars, stages });
    if (out === undefined) return { record, sidecars, written: [] };
    stages.signal.throwIfAborted();
    return { record, sidecars, written: await writeAll(out, record, { sidecars, numbers: asked.numbers }) };
  });
}

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

type Found = {
  readonly kind: PatchingRecord['kind'];
  readonly task: Awaited<ReturnType<typeof openTask>>['task'];
  readonly patching: Patching;
  readonly sidecars: readonly Sidecar[];
  readonly stages: Stages;
};

async function recordOf(
  { model, runtime }: Workbench,
  { kind, task, patching, sidecars, stages }: Found,
): Promise<PatchingRecord> {
  const [clean, corrupt] = [meanOf(patching.clean), meanOf(patching.corrupt)];
  const undefinedBecause = patching.grids.some(({ recovery }) => recovery === null)
    ? `clean and corrupt prompts have the same mean metric (${clean}), so there is nothing to recover`
    : null;
  return {
    schemaVersion: 1,
    kind,
    versions: { thevenin: packageVersion(), node: process.version, runtime: runtime.info.title },
    model: {
      name: model.config.name === '' ? basename(model.source) : model.config.name,
      weightsSha256: await model.weights.digest(),
    },
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
    timings: { startedAt: stages.startedAt.toISOString(), totalSeconds: stages.totalSeconds },
  };
}

/** The record last, so that a folder with a record is complete. */
async function writeAll(
  out: string,
  record: PatchingRecord,
  { sidecars, numbers }: { sidecars: readonly Sidecar[]; numbers: boolean },
): Promise<string[]> {
  return writeFiles(out, [
    { file: 'patching.html', content: patchingPage(record, { numbers }) },
    ...record.grids.map((grid) => ({ file: `${grid.grid}.svg`, content: drawHeatMap(record, grid, { numbers }) })),
    ...sidecars.map(({ file, data, shape }) => ({ file, content: encodeNpy(data, shape) })),
    recordFile('patching.json', record, PATCHING_SCHEMA),
  ]);
}
