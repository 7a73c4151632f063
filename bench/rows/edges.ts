import { countIn } from '../../src/circuit/prune.js';
import { selectCircuit } from '../../src/circuit/select.js';
import { edgeGradients } from '../../src/engine/gradients/gradient.js';
import { seeded } from '../../src/task/random.js';
import type { BenchContext, TimedRow } from '../types.js';
import { LEFT_POINTS } from './gradients.js';

/** EAP-IG's top edges, dead ends pruned. */
async function circuit({ session, workload }: BenchContext, edges: number): Promise<Uint8Array> {
  const { universe } = workload.engine;
  const perExample = await edgeGradients(session.bound, LEFT_POINTS, session.prompts);
  const mean = new Float64Array(universe.edgeCount);
  perExample.forEach(
    (score, i) => (mean[i % mean.length] = (mean[i % mean.length] as number) - score / session.base.length),
  );
  return selectCircuit(universe, mean, { rule: 'top-n', by: 'absolute', requested: edges }).edges;
}

const oneCircuit = (edges: number, limit: number): TimedRow => ({
  kind: 'timed',
  name: `one circuit: EAP-IG's top ${edges.toLocaleString('en')} edges, pruned`,
  limit,
  unit: '× forward',
  async prepare(context) {
    const keep = await circuit(context, edges);
    if (countIn(keep) === 0) throw new Error(`bench: no path from input to logits among the top ${edges} edges`);
    return { run: () => context.session.ask([{ kind: 'circuit', keep }]) };
  },
});

export const smallCircuit = oneCircuit(500, 1.2);
export const largeCircuit = oneCircuit(3249, 2);

const EDGES = 300;
const QUICK_EDGES = 100;

export const exactEdges: TimedRow = {
  kind: 'timed',
  name: `one exact edge, mean over ${EDGES} random edges`,
  limit: 0.45,
  unit: '× forward',
  async prepare({ session, workload, quick }) {
    const count = quick ? QUICK_EDGES : EDGES;
    const random = seeded(1);
    const questions = Array.from({ length: count }, () => ({
      kind: 'edge' as const,
      edge: random.between(0, workload.engine.universe.edgeCount - 1),
    }));
    return { run: () => session.ask(questions), share: count };
  },
};
