/** The strongest paths into a receiver, searched hop by hop on a task. */
import type { MlpsOnTheWay } from '../../engine/questions/paths.js';
import type { Direction } from '../../engine/sources/kinds.js';
import { estimateMean, meanOf } from '../../evaluation/statistics/intervals.js';
import { searchHops, type Hop } from '../../interventions/patching/hops.js';
import { HOPS } from '../../report/folders/hops.js';
import type { HopRecord, HopsRecord } from '../../report/records/hops.js';
import { job, type JobRequest } from '../job.js';
import { pairsOf } from '../pairs.js';
import { openTask, type TaskRequest } from '../workbench.js';

/** What `thevenin paths` is asked. */
export interface TraceRequest extends Omit<TaskRequest, 'split'>, JobRequest {
  /** address of the receivers that paths lead to */
  readonly to: string;
  readonly depth: number;
  readonly width: number;
  readonly mlps: MlpsOnTheWay;
  readonly direction: Direction;
}

const DEFAULTS: Omit<TraceRequest, 'task' | 'model'> = {
  out: undefined,
  to: 'logits',
  depth: 2,
  width: 3,
  mlps: 'kept',
  direction: 'noising',
  examples: undefined,
  seed: 0,
  bos: undefined,
  runtime: 'auto',
  threads: undefined,
  memory: undefined,
};

export const trace = job<TraceRequest, HopsRecord, 'task' | 'model'>({
  name: 'trace',
  folder: HOPS,
  defaults: DEFAULTS,
  needs: ['task', 'model'],
  prepare:
    (asked) =>
    async ({ model, engine }, stages) => {
      const { task } = await openTask(model, { ...asked, split: false });
      const { to, depth, width, mlps, direction } = asked;
      const search = { to, depth, width, mlps, direction, metric: task.metric, signal: stages.signal };
      const found = await stages.run(`strongest hops to ${to}`, 1, () => searchHops(engine, task.examples, search));
      const [clean, corrupt] = [meanOf(found.clean), meanOf(found.corrupt)];
      const gap = direction === 'noising' ? corrupt - clean : clean - corrupt;
      return {
        record: {
          kind: 'strongest-hops',
          task: { name: task.name, sha256: task.digest, metric: task.metric, pairs: task.examples.length },
          asked: { to, depth, width, mlps, direction },
          clean,
          corrupt,
          hops: found.hops.map((hop) => describeHop(hop, gap)),
        },
        sidecars: [],
        pairs: pairsOf(model, task, { results: { clean: found.clean, corrupt: found.corrupt } }),
      };
    },
});

/** @param gap what the whole prompt changes */
function describeHop({ sender, path, effects, upstream }: Hop, gap: number): HopRecord {
  const { mean: effect, low, high } = estimateMean(effects);
  const share = gap === 0 ? null : effect / gap;
  return { sender, path, effect, low, high, share, upstream: upstream.map((hop) => describeHop(hop, gap)) };
}
