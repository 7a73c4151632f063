/** Edges resolved by neuron: what single neurons of chosen MLPs write to readers, and read from senders. */
import type { Universe } from '../../circuit/types.js';
import { planBatches } from '../../engine/core/batches.js';
import type { Point } from '../../engine/gradients/gradient.js';
import { neuronGradients, type NeuronGradients } from '../../engine/gradients/neuron-gradient.js';
import type { EdgeNeuron } from '../../engine/questions/questions.js';
import { withSession } from '../../engine/questions/session.js';
import { noising } from './collect.js';
import type { EdgesContext } from './types.js';

/** Means over the examples, positive = the neuron's edge helps; shapes as of `NeuronGradients`. */
export type NeuronScores = NeuronGradients;

/** An edge of which one neuron alone sends or reads. */
export interface NeuronEdge {
  readonly edge: number;
  readonly neuron: EdgeNeuron;
}

/** `m3.n127->logits` where the neuron sends, `a0.h1->m3.n127` where it reads. */
export function neuronEdgeName({ edgeName }: Universe, { edge, neuron }: NeuronEdge): string {
  const [from, to] = edgeName(edge).split('->') as [string, string];
  return 'from' in neuron ? `${from}.n${neuron.from}->${to}` : `${from}->${to}.n${neuron.into}`;
}

/**
 * Scores of all edges out of and into the neurons of the layers. Cost: per point a forward and a backward pass, and the products of
 * these neurons with every reader above them and every sender below.
 */
export async function scoreNeurons(
  context: EdgesContext,
  points: readonly Point[],
  layers: readonly number[],
): Promise<NeuronScores[]> {
  const { engine, examples } = context;
  const sums: NeuronScores[] = [];
  let done = 0;
  for (const batch of planBatches(engine, examples, points.length).batches) {
    context.signal.throwIfAborted();
    const found = await withSession(engine, batch, noising(context), ({ bound }) =>
      neuronGradients(bound, points, { layers, clean: bound.base, corrupt: bound.alternative }),
    );
    found.forEach((one, i) => {
      const sum = (sums[i] ??= { layer: one.layer, out: one.out.map(() => 0), into: one.into.map(() => 0) });
      subtract(sum.out, one.out, examples.length);
      subtract(sum.into, one.into, examples.length);
    });
    done += batch.indices.length;
    context.onProgress(done, examples.length);
  }
  return sums;
}

/** What cutting adds to the metric → what is lost by it, as a share of the mean. */
const subtract = (sum: Float64Array, added: Float64Array, count: number): void =>
  added.forEach((x, i) => (sum[i] = sum[i]! - x / count));

/** The neurons' edges with the largest |score|, and it. */
export function strongestNeuronEdges(
  { universe, model }: EdgesContext['engine'],
  scores: readonly NeuronScores[],
  count: number,
): readonly (NeuronEdge & { readonly score: number })[] {
  const { dMlp } = model.config;
  const readers = universe.readers.length;
  const strongest: (NeuronEdge & { readonly score: number })[] = [];
  let least = 0;
  const offer = (score: number, edge: () => NeuronEdge): void => {
    if (Math.abs(score) <= least) return;
    strongest.push({ ...edge(), score });
    if (strongest.length < 2 * count) return;
    keepLargest(strongest, count);
    least = Math.abs(strongest.at(-1)!.score);
  };
  for (const { layer, out, into } of scores) {
    const [sender, reader] = [universe.senderIndex(`m${layer}`)!, universe.readerIndex(`m${layer}`)!];
    const edgeTo = (r: number): number => universe.edgeBetween(sender, r);
    const edgeFrom = (s: number): number => universe.edgeBetween(s, reader);
    out.forEach((score, i) =>
      offer(score, () => ({ edge: edgeTo(i % readers), neuron: { from: Math.floor(i / readers) } })),
    );
    into.forEach((score, i) => offer(score, () => ({ edge: edgeFrom(Math.floor(i / dMlp)), neuron: { into: i % dMlp } }))); // prettier-ignore
  }
  keepLargest(strongest, count);
  return strongest;
}

function keepLargest(edges: { readonly score: number }[], count: number): void {
  edges.sort((a, b) => Math.abs(b.score) - Math.abs(a.score));
  edges.splice(count);
}
