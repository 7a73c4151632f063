/** What the ranking may have missed: a bound on the edges that were not measured, and the first suspects measured. */
import { checkSampling, boundMissed, SAMPLING_DEFAULTS } from '../../evaluation/subset-bound.js';
import { meanOf } from '../../evaluation/statistics/intervals.js';
import type { CheckedTask } from '../../task/types.js';
import { measureExact, type FinerWork } from './positions-and-neurons.js';
import type { DiscoverRequest } from './request.js';
import type { Workbench } from '../workbench.js';

export interface Diagnosis {
  readonly samples: number;
  readonly probability: number;
  readonly confidence: number;
  /** edges that were not measured */
  readonly among: number;
  /** no |effect| among them is larger, with that confidence; infinite where subsets were too few to tell */
  readonly bound: number;
  /** largest |estimate| first */
  readonly suspects: readonly {
    readonly edge: number;
    readonly estimate: number;
    readonly bound: number;
    readonly exact: number;
  }[];
}

const SUSPECTS = 10;

/** @throws TheveninError evaluation/samples */
export function checkDiagnosis({ diagnose: samples }: DiscoverRequest): void {
  if (samples !== undefined) checkSampling({ samples, ...SAMPLING_DEFAULTS });
}

/** Null where it was not asked for. @param work.strongest the edges that were measured */
export async function diagnose(
  bench: Workbench,
  task: CheckedTask,
  work: Pick<FinerWork, 'request' | 'source' | 'stages' | 'examples'> & { readonly strongest: readonly number[] },
): Promise<Diagnosis | null> {
  const { request, source, stages, examples, strongest: measured } = work;
  const { diagnose: samples, seed } = request;
  if (samples === undefined) return null;
  const { effects, bound } = await stages.run('what may have been missed', samples, (report) =>
    boundMissed(bench.engine, examples, {
      ...{ samples, seed, ...SAMPLING_DEFAULTS, measured, metric: task.metric, source, signal: stages.signal },
      onProgress: (done) =>
        report(done, `${done} random subsets of ${bench.engine.universe.edgeCount - measured.length} edges cut`),
    }),
  );
  const cuts = effects.slice(0, SUSPECTS);
  const exact = await measureExact(bench, task, { source, stages, examples, cuts, what: 'suspects' });
  const suspects = cuts.map((one, i) => ({ ...one, exact: meanOf(exact[i] as Float64Array) }));
  return { samples, ...SAMPLING_DEFAULTS, among: effects.length, bound, suspects };
}
