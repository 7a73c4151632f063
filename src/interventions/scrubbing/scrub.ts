/**
 * Causal scrubbing (Chan et al. 2022): if a hypothesis says all that matters, a model's activations may be exchanged for those on
 * other prompts wherever the hypothesis says that it makes no difference, and the metric stays as it was.
 *
 *     recovered = (scrubbed − random) / (clean − random)
 *
 * where `random` is the expected metric of a prompt's answers on another prompt: what the hypothesis that nothing matters comes to.
 */
import type { Engine } from '../../engine/core/engine.js';
import { poolBytesPerToken, shareOf, withScrubPool, type ScrubPool } from '../../engine/questions/scrub.js';
import { refuse } from '../../errors.js';
import { seeded, type Random } from '../../task/random.js';
import type { Example, MetricKey } from '../../task/types.js';
import {
  computedIn,
  drawRun,
  EVERYTHING,
  layoutOf,
  onlyClaim,
  type ClaimKind,
  type Layout,
  type Tested,
  type Unimportant,
} from './draw.js';
import { claimsInputs, type Hypothesis, type HypothesisNode } from './hypothesis.js';
import { planPools, type PlannedPool } from './pools.js';

export interface ScrubOptions {
  readonly metric: MetricKey;
  /** how often every prompt is scrubbed; of single claims as often */
  readonly draws: number;
  readonly seed: number;
  readonly unimportant: Unimportant;
}

/** One claim of one node: that it depends on its feature alone, or that nothing matters to it but what it reads. */
export interface Claim {
  readonly node: HypothesisNode;
  readonly kind: ClaimKind;
}

/** Work that has been checked and counted but not begun. */
export interface ScrubPlan {
  readonly hypothesis: Hypothesis;
  readonly options: ScrubOptions;
  readonly pools: readonly PlannedPool[];
  readonly layouts: readonly Layout[];
  readonly leftOut: number;
  readonly claims: readonly Claim[];
  readonly cost: {
    /** heads and MLPs computed for every prompt, in one draw of the whole hypothesis */
    readonly heads: number;
    readonly mlps: number;
    /** forward passes over one prompt, of all draws and claims */
    readonly forwardPasses: number;
    /** kept of the largest pool, beside the weights */
    readonly bytes: number;
  };
}

export interface Scrubbing {
  /** places, in the list of examples, of those that took part; the values below are in their order */
  readonly indices: readonly number[];
  /** metric of each prompt itself, and expected on a random prompt */
  readonly clean: Float64Array;
  readonly random: Float64Array;
  /** [draw, example] */
  readonly scrubbed: Float64Array;
  /** metric where one claim alone is scrubbed, mean over draws, and how many prompts have another that may stand in for them */
  readonly claims: readonly (Claim & { readonly values: Float64Array; readonly tested: number })[];
}

/** Nodes of the treeified hypothesis that one run may compute: beyond, it is refused. */
const MOST_NODES = 20_000;

/**
 * Lays a hypothesis over examples, before any compute.
 * @throws interventions/hypothesis, interventions/feature, interventions/positions
 */
export function planScrub(
  engine: Engine,
  examples: readonly Example[],
  hypothesis: Hypothesis,
  options: ScrubOptions,
): ScrubPlan {
  const { universe } = engine;
  const { pools, leftOut } = planPools(engine, examples, hypothesis);
  const layouts = pools.map((pool) => layoutOf(universe, hypothesis, pool.examples));
  const claims = hypothesis.nodes.flatMap((node): Claim[] => [
    ...(node.feature === null ? [] : [{ node, kind: 'feature' as const }]),
    ...(claimsInputs(node) ? [{ node, kind: 'inputs' as const }] : []),
  ]);
  checkSize(hypothesis);
  const one = { ...layouts[0]!, size: 1, agreeing: new Map() };
  const { draws, unimportant } = options;
  const costs = [EVERYTHING, ...claims.map(({ node, kind }) => onlyClaim(node, kind))].map((tested) =>
    computedIn(drawRun(hypothesis, { universe, layout: one, random: seeded(0), unimportant, tested })),
  );
  const passes = costs.map(({ heads, mlps }) => heads * shareOf(engine, 'head') + (mlps === 0 ? 0 : mlps * shareOf(engine, 'mlp'))); // prettier-ignore
  const forwardPasses = 1 + draws * passes.reduce((sum, share) => sum + share, 0);
  const tokens = Math.max(...pools.map(({ length, indices }) => length * indices.length));
  const cost = { ...costs[0]!, forwardPasses, bytes: tokens * poolBytesPerToken(engine) };
  return { hypothesis, options, pools, layouts, leftOut, claims, cost };
}

/** A node that is read on many ways is evaluated anew on each of them. */
function checkSize({ name, root, nodes }: Hypothesis): void {
  const sizes = new Map<HypothesisNode, number>();
  for (const node of [...nodes].reverse()) {
    const below = [...(node.reads?.values() ?? [])].flat().reduce((sum, child) => sum + sizes.get(child)!, 0);
    sizes.set(node, (node.is === 'senders' ? node.members.length : 1) * (1 + below));
  }
  const size = sizes.get(root)!;
  if (size > MOST_NODES)
    refuse(
      'interventions/hypothesis',
      `hypothesis "${name}" unfolds to ${size} nodes, each of them computed for every draw; at most ${MOST_NODES} are; name fewer nodes`,
    );
}

/** Cost: as the plan says. */
export async function scrub(
  engine: Engine,
  plan: ScrubPlan,
  watch: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, total: number) => void } = {},
): Promise<Scrubbing> {
  const { pools, claims, options } = plan;
  const count = pools.reduce((sum, { indices }) => sum + indices.length, 0);
  const found = {
    indices: pools.flatMap(({ indices }) => indices),
    clean: new Float64Array(count),
    random: new Float64Array(count),
    scrubbed: new Float64Array(options.draws * count),
    claims: claims.map((claim) => ({ ...claim, values: new Float64Array(count), tested: testedBy(plan, claim) })),
  };
  const random = seeded(options.seed);
  const total = pools.length * options.draws * (1 + claims.length);
  let done = 0;
  const step = (): void => {
    watch.signal?.throwIfAborted();
    watch.onProgress?.(++done, total);
  };
  let from = 0;
  for (const [p, batch] of pools.entries()) {
    await withScrubPool(engine, batch, options.metric, async (pool) => {
      found.clean.set(await shifted(pool, 0), from);
      found.random.set(await expectedAtRandom(pool, random), from);
      const ask = (tested: Tested) => askDraw({ engine, plan, pool, layout: plan.layouts[p]!, random }, tested);
      for (let draw = 0; draw < options.draws; draw++) {
        found.scrubbed.set(await ask(EVERYTHING), draw * count + from);
        step();
        for (const { node, kind, values } of found.claims) {
          const answers = await ask(onlyClaim(node, kind));
          answers.forEach((value, i) => (values[from + i]! += value / options.draws));
          step();
        }
      }
    });
    from += batch.indices.length;
  }
  return found;
}

const askDraw = (
  on: { engine: Engine; plan: ScrubPlan; pool: ScrubPool; layout: Layout; random: Random },
  tested: Tested,
): Promise<Float64Array> => {
  const { engine, plan, pool, layout, random } = on;
  const { unimportant } = plan.options;
  return pool.metric(drawRun(plan.hypothesis, { universe: engine.universe, layout, random, unimportant, tested }));
};

/** Every prompt's answers on the prompt `by` places further on. */
const shifted = (pool: ScrubPool, by: number): Promise<Float64Array> => {
  const { length } = pool.batch.examples;
  return pool.metric({ rows: Int32Array.from({ length }, (_, i) => (i + by) % length), given: [] });
};

/** Up to this many prompts the expectation is exact: every prompt's answers on every prompt; of more, on so many of them. */
const SHIFTS = 64;

async function expectedAtRandom(pool: ScrubPool, random: Random): Promise<Float64Array> {
  const { length } = pool.batch.examples;
  const all = Array.from({ length }, (_, by) => by);
  const shifts = length <= SHIFTS ? all : random.distinct(all, SHIFTS);
  const sum = new Float64Array(length);
  for (const by of shifts) (await shifted(pool, by)).forEach((value, i) => (sum[i]! += value / shifts.length));
  return sum;
}

/** Prompts whose value can really come from another one. */
const testedBy = ({ layouts, pools }: ScrubPlan, { node, kind }: Claim): number =>
  kind === 'inputs'
    ? pools.reduce((sum, { indices }) => sum + indices.length, 0)
    : layouts.reduce((sum, layout) => sum + layout.agreeing.get(node)!.filter((own) => own.length > 1).length, 0);
