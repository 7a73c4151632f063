/** Which prompts may stand in for each other: of one length, with the spans that the hypothesis names at the same positions. */
import type { Engine } from '../../engine/core/engine.js';
import type { Batch } from '../../engine/core/batches.js';
import { poolBytesPerToken } from '../../engine/questions/scrub.js';
import { refuse } from '../../errors.js';
import type { Example } from '../../task/types.js';
import { positionsOf } from '../../text/where.js';
import { isWholePrompt, type Feature } from './features.js';
import { spansOf, type Hypothesis, type HypothesisNode } from './hypothesis.js';

export interface PlannedPool extends Batch {
  /** places of its examples in the list they came from */
  readonly indices: readonly number[];
}

export interface Pools {
  readonly pools: readonly PlannedPool[];
  /** prompts that no other can stand in for, by length or layout */
  readonly leftOut: number;
}

/**
 * Prompts in pools. Pools that would not fit the memory are cut into equal parts.
 * @throws interventions/positions: a span that a prompt lacks; no two prompts alike in length and layout
 */
export function planPools(engine: Engine, examples: readonly Example[], hypothesis: Hypothesis): Pools {
  const spans = spansOf(hypothesis);
  const groups = new Map<string, number[]>();
  examples.forEach((example, i) => {
    const places = spans.map((span) => positionsOf(span, example));
    const asked = example.answers.map(({ position }) => position);
    const layout = JSON.stringify([example.clean.length, places, asked]);
    groups.set(layout, [...(groups.get(layout) ?? []), i]);
  });
  const shared = [...groups.values()].filter((group) => group.length > 1);
  if (shared.length === 0)
    refuse(
      'interventions/positions',
      `no two of the ${examples.length} prompts have the same length and the spans of the hypothesis at the same positions, so none can stand in for another; give more pairs, or prompts of one template`,
    );
  const pools = shared.flatMap((group) => parts(group, affordable(engine, examples[group[0]!]!))).map((indices) => ({
    indices,
    examples: indices.map((i) => examples[i]!),
    length: examples[indices[0]!]!.clean.length,
  })); // prettier-ignore
  const leftOut = examples.length - pools.reduce((sum, { indices }) => sum + indices.length, 0);
  checkFeatures(pools, hypothesis);
  return { pools, leftOut };
}

const affordable = (engine: Engine, { clean }: Example): number =>
  Math.max(2, Math.floor(engine.options.memoryBytes / 2 / (poolBytesPerToken(engine) * clean.length)));

function parts(group: readonly number[], most: number): number[][] {
  const count = Math.min(Math.ceil(group.length / most), Math.floor(group.length / 2));
  return Array.from({ length: count }, (_, i) =>
    group.slice(Math.round((i * group.length) / count), Math.round(((i + 1) * group.length) / count)),
  );
}

/** A feature in which no two prompts agree is no claim: nothing would ever be exchanged. The whole prompt may be such a one. */
function checkFeatures(pools: readonly PlannedPool[], { nodes }: Hypothesis): void {
  for (const node of nodes)
    for (const feature of node.feature ?? []) if (!isWholePrompt(feature)) checkFeature(pools, node, feature);
}

function checkFeature(pools: readonly PlannedPool[], node: HypothesisNode, feature: Feature): void {
  const shared = pools.some(({ examples }) => new Set(examples.map((example) => feature.value(example))).size < examples.length); // prettier-ignore
  if (!shared)
    refuse(
      'interventions/feature',
      `node "${node.name}" depends on ${feature.title}, in which no two prompts of one layout agree, so that nothing can stand in for it; give more pairs, a smaller vocabulary, or a coarser feature`,
    );
}
