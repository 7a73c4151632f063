/** A circuit's evaluation as records keep it. */
import type { Evaluation } from '../evaluation/evaluate.js';
import { faithfulness, percentileAmong } from '../evaluation/faithfulness.js';
import { estimateMean } from '../evaluation/statistics/intervals.js';
import type { EvaluationRecord } from '../report/records/judgement.js';

/** @param random edges of each random circuit, and the seed that they were drawn with */
export function evaluationRecord(
  { metrics, criteria }: Evaluation,
  random: { readonly edgeCount: number; readonly seed: number },
): Omit<EvaluationRecord, 'split'> {
  const { clean, corrupt, circuits } = metrics;
  const [own, ...others] = circuits;
  const f = faithfulness({ clean, corrupt, circuit: own as Float64Array });
  const shares = others.map((circuit) => faithfulness({ clean, corrupt, circuit })).filter((one) => one !== null);
  return {
    clean: estimateMean(clean),
    corrupt: estimateMean(corrupt),
    circuit: estimateMean(own as Float64Array),
    faithfulness: f,
    random: { ...random, faithfulness: shares, percentile: f === null ? null : percentileAmong(f, shares) },
    criteria: [...criteria],
  };
}
