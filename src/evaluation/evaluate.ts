/** A circuit judged by every criterion, on the same pairs. */
import type { Engine } from '../engine/core/engine.js';
import type { AlternativeMaker } from '../engine/sources/index.js';
import type { Example, MetricKey } from '../task/types.js';
import { measureCircuits, type CircuitMetrics } from './faithfulness.js';
import { CRITERIA, type Criterion, type Finding, type Need, type Subject } from './index.js';

export interface EvaluateOptions {
  readonly metric: MetricKey;
  /** random circuits that it is compared with */
  readonly random?: readonly Uint8Array[];
  /** what edges outside a circuit read; default the corrupt prompt */
  readonly source?: AlternativeMaker | undefined;
  /** default: all there are */
  readonly criteria?: readonly Criterion[];
  readonly signal?: AbortSignal;
  /** pairs done, of all, over all metrics that are measured */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A finding with the criterion that it is of. */
export interface Judgement extends Finding, Pick<Criterion, 'key' | 'title' | 'reference' | 'unit'> {
  readonly counts: boolean;
}

export interface Evaluation {
  /** the circuit, then the random ones, by the task's metric */
  readonly metrics: CircuitMetrics;
  /** of the criteria that say something of the task, in their order */
  readonly criteria: readonly Judgement[];
  /** forward passes over one pair at most */
  readonly passes: number;
}

/**
 * Runs what the criteria need, each circuit once for each metric, and lets them judge. Cost: for each metric two forward passes, and
 * at most one per circuit.
 */
export async function evaluateCircuit(
  engine: Engine,
  examples: readonly Example[],
  circuit: Uint8Array,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { metric, random = [], criteria = CRITERIA } = options;
  const subject: Subject = { universe: engine.universe, circuit, random, metric };
  const asked = criteria.flatMap((criterion) => {
    const need = criterion.needs(subject);
    return need ? [{ criterion, need }] : [];
  });
  const own = { metric, circuits: [circuit, ...random] };
  const measured = await measureNeeds(engine, examples, { ...options, needs: [own, ...asked.map(({ need }) => need)] });
  return {
    metrics: measured.of(own),
    criteria: asked.map(({ criterion, need }) => judge(criterion, criterion.run(subject, measured.of(need)))),
    passes: measured.passes,
  };
}

const judge = ({ key, title, reference, unit, counts = false }: Criterion, finding: Finding): Judgement => ({
  key,
  title,
  reference,
  unit,
  counts,
  ...finding,
});

/** Every circuit once for each metric, whoever needs it. */
async function measureNeeds(
  engine: Engine,
  examples: readonly Example[],
  { needs, source, signal, onProgress }: Omit<EvaluateOptions, 'metric'> & { readonly needs: readonly Need[] },
): Promise<{ of(need: Need): CircuitMetrics; passes: number }> {
  const metrics = [...new Set(needs.map((need) => need.metric))];
  const values = new Map<MetricKey, CircuitMetrics & { readonly asked: readonly Uint8Array[] }>();
  let passes = 0;
  for (const [i, metric] of metrics.entries()) {
    const asked = [...new Set(needs.filter((need) => need.metric === metric).flatMap((need) => need.circuits))];
    const progress = (done: number): void =>
      onProgress?.(Math.floor((i * examples.length + done) / metrics.length), examples.length);
    const options = { metric, source, onProgress: progress, ...(signal && { signal }) };
    values.set(metric, { asked, ...(await measureCircuits(engine, examples, asked, options)) });
    passes += 2 + asked.length + (source ? 1 : 0);
  }
  const of = ({ metric, circuits }: Need): CircuitMetrics => {
    const { asked, clean, corrupt, circuits: all } = values.get(metric)!;
    return { clean, corrupt, circuits: circuits.map((one) => all[asked.indexOf(one)] as Float64Array) };
  };
  return { of, passes };
}
