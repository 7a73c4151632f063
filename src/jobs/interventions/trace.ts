/** The strongest paths into a receiver, searched hop by hop on a task. */
import { basename } from 'node:path';
import type { MlpsOnTheWay } from '../../engine/questions/paths.js';
import type { Direction } from '../../engine/sources/kinds.js';
import { estimateMean, meanOf } from '../../evaluation/statistics/intervals.js';
import { searchHops, type Hop } from '../../interventions/patching/hops.js';
import { packageVersion } from '../../package.js';
import type { ProgressListener } from '../../progress.js';
import { recordFile } from '../../report/check.js';
import { HOPS_SCHEMA, type HopRecord, type HopsRecord } from '../../report/records/hops.js';
import { writeFiles } from '../../report/write.js';
import { Stages } from '../stages.js';
import { openTask, withWorkbench, type TaskRequest } from '../workbench.js';

/** What `thevenin paths` is asked. */
export interface TraceRequest extends Omit<TaskRequest, 'split'> {
  readonly model: string;
  /** folder of the record; undefined: nothing is written */
  readonly out: string | undefined;
  /** address of the receivers that paths lead to */
  readonly to: string;
  readonly depth: number;
  readonly width: number;
  readonly mlps: MlpsOnTheWay;
  readonly direction: Direction;
  readonly runtime: string;
  readonly threads: number | undefined;
  readonly memory: number | undefined;
}

const DEFAULTS: Omit<TraceRequest, 'task' | 'model'> = {
  ...{ out: undefined, to: 'logits', depth: 2, width: 3, mlps: 'kept', direction: 'noising' },
  ...{ examples: undefined, seed: 0, bos: undefined, runtime: 'auto', threads: undefined, memory: undefined },
};

/** @throws TheveninError for every fault of the input, before any compute */
export async function trace(
  request: Partial<TraceRequest> & Pick<TraceRequest, 'task' | 'model'>,
  options: { readonly signal?: AbortSignal; readonly onProgress?: ProgressListener } = {},
): Promise<{ readonly record: HopsRecord; readonly written: readonly string[] }> {
  const asked: TraceRequest = { ...DEFAULTS, ...request };
  const stages = new Stages(options.onProgress ?? (() => undefined), options.signal ?? new AbortController().signal);
  return withWorkbench(asked, async ({ model, engine, runtime }) => {
    const { task } = await openTask(model, { ...asked, split: false });
    const { to, depth, width, mlps, direction } = asked;
    const search = { to, depth, width, mlps, direction, metric: task.metric, signal: stages.signal };
    const found = await stages.run(`strongest hops to ${to}`, 1, () => searchHops(engine, task.examples, search));
    const [clean, corrupt] = [meanOf(found.clean), meanOf(found.corrupt)];
    const record: HopsRecord = {
      schemaVersion: 1,
      kind: 'strongest-hops',
      versions: { thevenin: packageVersion(), node: process.version, runtime: runtime.info.title },
      model: {
        name: model.config.name === '' ? basename(model.source) : model.config.name,
        weightsSha256: await model.weights.digest(),
      },
      task: { name: task.name, sha256: task.digest, metric: task.metric, pairs: task.examples.length },
      asked: { to, depth, width, mlps, direction },
      ...{ clean, corrupt },
      hops: found.hops.map((hop) => describeHop(hop, direction === 'noising' ? corrupt - clean : clean - corrupt)),
      timings: { startedAt: stages.startedAt.toISOString(), totalSeconds: stages.totalSeconds },
    };
    const files = [recordFile('hops.json', record, HOPS_SCHEMA)];
    return { record, written: asked.out === undefined ? [] : await writeFiles(asked.out, files) };
  });
}

/** @param gap what the whole prompt changes */
function describeHop({ sender, path, effects, upstream }: Hop, gap: number): HopRecord {
  const { mean: effect, low, high } = estimateMean(effects);
  const share = gap === 0 ? null : effect / gap;
  return { sender, path, effect, low, high, share, upstream: upstream.map((hop) => describeHop(hop, gap)) };
}
