import { edgeOrder } from '../../src/attribution/edges/acdc/order.js';
import { measureWith } from '../../src/attribution/edges/acdc/measure.js';
import { isHeard, search, type AcdcRule } from '../../src/attribution/edges/acdc/search.js';
import { withSessions, type ForEachSession } from '../../src/attribution/edges/sessions.js';
import { answerCircuits } from '../../src/engine/questions/answer-circuits.js';
import { Engine } from '../../src/engine/core/engine.js';
import { loadModel } from '../../src/model/load.js';
import { openTask } from '../../src/jobs/workbench.js';
import type { Example } from '../../src/task/types.js';
import type { BenchContext, TimedRow } from '../types.js';

const PAIRS = { quick: 16, full: 32 };
const RULE: AcdcRule = { tau: 0.01, order: 'reverse', test: 'signed' };
const ASKED = { metric: 'kl-divergence', direction: 'noising' } as const;

interface Study {
  readonly engine: Engine;
  readonly examples: readonly Example[];
}

/** The bundled IOI model and pairs for it; its kernels go with the bench's runtime. */
async function openStudy({ workload, quick }: BenchContext): Promise<Study> {
  const model = await loadModel('ioi');
  const count = quick ? PAIRS.quick : PAIRS.full;
  const { task } = await openTask(model, { task: 'ioi', examples: count, seed: 0, bos: undefined, split: false });
  return { engine: new Engine(model, workload.engine.runtime), examples: task.examples };
}

async function fast({ engine, examples }: Study): Promise<void> {
  const { signal } = new AbortController();
  await withSessions(engine, examples, ASKED, (forEach) =>
    search(engine.universe, RULE, measureWith(forEach, { examples: examples.length, signal })),
  );
}

/** The sequential algorithm: after each answer the next question, and for each a full forward pass. */
async function naive({ engine, examples }: Study): Promise<void> {
  const { universe } = engine;
  await withSessions(engine, examples, ASKED, async (forEach) => {
    const measure = (keep: Uint8Array): Promise<number> => fullPass(forEach, keep, examples.length);
    const keep = new Uint8Array(universe.edgeCount).fill(1);
    let value = await measure(keep);
    for (const edge of edgeOrder(universe, RULE.order)) {
      keep[edge] = 0;
      if (!isHeard(universe, keep, universe.edgeReader[edge] as number)) continue;
      const after = await measure(keep);
      if (value - after < RULE.tau) value = after;
      else keep[edge] = 1;
    }
  });
}

/**
 * The metric of one circuit from a full forward pass: every position, every head with its own sum over all senders for each of its
 * query, key and value, every MLP, whatever of it is cut, known from the runs of the prompts, or goes nowhere. Weights a hair from
 * 0 and 1 let no edge count as cut or kept.
 */
async function fullPass(forEach: ForEachSession, keep: Uint8Array, examples: number): Promise<number> {
  const hair = 2 ** -24;
  const dense = Float32Array.from(keep, (kept) => Math.min(1 - hair, Math.max(hair, kept)));
  let sum = 0;
  await forEach(async ({ bound }) => {
    const alternative = { ...bound.alternative, isRun: false, firstChange: 0 };
    const [values] = await answerCircuits({ ...bound, alternative }, [dense]);
    sum += (values as Float64Array).reduce((total, value) => total + value, 0);
  });
  return sum / examples;
}

/** `docs/methods.md` says what the naive loop is. */
export const acdcOnIoi: TimedRow = {
  kind: 'timed',
  name: 'ACDC on the bundled IOI model, KL, τ 0.01',
  limit: 0.25,
  unit: '× the naive loop',
  async beside(context) {
    const study = await openStudy(context);
    return { run: () => naive(study) };
  },
  async prepare(context) {
    const study = await openStudy(context);
    return { run: () => fast(study) };
  },
};
