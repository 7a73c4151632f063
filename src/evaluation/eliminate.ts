/**
 * Backward elimination: from a circuit, edges are taken out by their exact effect in it until none can go without leaving the
 * target. What is kept is |1 − faithfulness| (not faithfulness: that rewards cutting edges that hurt, and overshoots 1) or the
 * KL divergence from the clean run.
 */
import { prune, countIn } from '../circuit/prune.js';
import type { Engine } from '../engine/core/engine.js';
import type { AlternativeMaker } from '../engine/sources/index.js';
import { faithfulness, measureCircuits } from './faithfulness.js';
import { meanOf } from './statistics/intervals.js';
import type { Example, MetricKey } from '../task/types.js';

export interface EliminationTarget {
  /** `faithfulness`: |1 − f| ≤ within. `kl`: mean KL(clean ‖ circuit) ≤ within, in nats. */
  readonly keep: 'faithfulness' | 'kl';
  readonly within: number;
}

export interface Elimination {
  readonly edges: Uint8Array;
  readonly edgeCount: number;
  /** the target is met; otherwise nothing was taken out */
  readonly met: boolean;
  /** how far from the whole model the result is, in the target's unit */
  readonly distance: number;
  /** circuits measured on the way */
  readonly evaluations: number;
}

export interface EliminationContext {
  readonly engine: Engine;
  readonly examples: readonly Example[];
  readonly metric: MetricKey;
  /** what cut edges read; default the other prompt */
  readonly source?: AlternativeMaker | undefined;
  readonly signal: AbortSignal;
  onProgress(edgesLeft: number, edgesAtStart: number): void;
}

/**
 * Repeats until nothing can go: measure the circuit without each edge, rank by distance, remove the longest run of harmless
 * edges that keeps the target (by bisection), prune dead ends.
 * @returns the circuit itself where it does not meet the target to begin with
 */
export async function eliminate(
  context: EliminationContext,
  start: Uint8Array,
  target: EliminationTarget,
): Promise<Elimination> {
  const judge = new Judge(context, target);
  let edges = prune(context.engine.universe, start);
  const atStart = countIn(edges);
  let distance = (await judge.distances([edges]))[0] as number;
  let removed = distance <= target.within;
  while (removed) {
    context.signal.throwIfAborted();
    context.onProgress(countIn(edges), atStart);
    const next = await removeHarmless(context, edges, { judge, within: target.within });
    removed = next !== null;
    if (next) ({ edges, distance } = next);
  }
  const met = distance <= target.within;
  return { edges, edgeCount: countIn(edges), met, distance, evaluations: judge.evaluations };
}

interface Step {
  readonly edges: Uint8Array;
  readonly distance: number;
}

async function removeHarmless(
  context: EliminationContext,
  edges: Uint8Array,
  by: { judge: Judge; within: number },
): Promise<Step | null> {
  const present = [...edges.keys()].filter((edge) => edges[edge] === 1);
  const without = present.map((edge) => reduced(context, edges, [edge]));
  const distances = await by.judge.distances(without);
  const order = present.map((_, i) => i).sort((a, b) => (distances[a] as number) - (distances[b] as number) || a - b);
  if ((distances[order[0] as number] as number) > by.within) return null;
  // the first alone is known to keep the target; bisect for the longest prefix that does
  let [good, bad] = [1, order.length + 1];
  let best: Step = {
    edges: without[order[0] as number] as Uint8Array,
    distance: distances[order[0] as number] as number,
  };
  while (bad - good > 1) {
    const count = (good + bad) >> 1;
    const candidate = reduced(
      context,
      edges,
      order.slice(0, count).map((i) => present[i] as number),
    );
    const distance = (await by.judge.distances([candidate]))[0] as number;
    if (distance <= by.within) {
      good = count;
      best = { edges: candidate, distance };
    } else bad = count;
  }
  return best;
}

function reduced({ engine }: EliminationContext, edges: Uint8Array, removed: readonly number[]): Uint8Array {
  const rest = Uint8Array.from(edges);
  for (const edge of removed) rest[edge] = 0;
  return prune(engine.universe, rest);
}

/** How far circuits are from the whole model. */
class Judge {
  evaluations = 0;

  constructor(
    private readonly context: EliminationContext,
    private readonly target: EliminationTarget,
  ) {}

  async distances(circuits: readonly Uint8Array[]): Promise<number[]> {
    const { engine, examples, metric, source, signal } = this.context;
    this.evaluations += circuits.length;
    const asked = { metric: this.target.keep === 'kl' ? ('kl-divergence' as const) : metric, source, signal };
    const { clean, corrupt, circuits: values } = await measureCircuits(engine, examples, circuits, asked);
    if (this.target.keep === 'kl') return values.map((value) => -meanOf(value));
    return values.map((circuit) => Math.abs(1 - (faithfulness({ clean, corrupt, circuit }) ?? Infinity)));
  }
}
