/**
 * Optimal ablation (Li & Janson 2024): what a sender is replaced by is one constant, the same at every position of every prompt, and
 * that which hurts least:
 *
 *     c_s = argmin_c  E over reference pairs of  metric clean − metric with all that s says replaced by c
 *
 * Each sender's constant is learned with that sender alone ablated (the paper's importance of a component), so that constants do not
 * lean on one another; where a circuit is given, all together with everything outside the circuit ablated (the paper's loss of a
 * circuit). Adam starts at the mean. What is returned is on the reference pairs never worse than the mean and than zero: where
 * learning did not help, the better of these is kept.
 */
import { planBatches, type PlannedBatch } from '../../../engine/core/batches.js';
import type { Engine } from '../../../engine/core/engine.js';
import { withSession } from '../../../engine/questions/session.js';
import { makeSource, type AlternativeMaker, type Constants } from '../../../engine/sources/index.js';
import { EVERYTHING } from '../../../engine/sources/groupings.js';
import { measureMoments, siteKey, type FixedSite, type Moment } from '../../../engine/sources/moments.js';
import { invariant } from '../../../errors.js';
import { seeded } from '../../../task/random.js';
import type { Example, MetricKey } from '../../../task/types.js';
import { checkWholeModelMemory } from '../whole-model.js';
import { constantsFrom, layoutOf, vectorOf, type Layout, type Range } from './layout.js';
import { withConstantModel, type ConstantBatch } from './model.js';
import { CONSTANT_DEFAULTS, type ConstantSetting } from './setting.js';
import { openDescent } from './step.js';

export interface ConstantRequest extends Partial<ConstantSetting> {
  /** what the constants should hurt least; default the model's output, by KL divergence */
  readonly metric?: MetricKey;
  readonly seed: number;
  /** [edge] the circuit whose complement is ablated; default one sender at a time */
  readonly circuit?: Uint8Array;
  readonly signal?: AbortSignal;
  /** constants learned, of all */
  readonly onProgress?: (done: number) => void;
}

/** What is ablated together, and which constants are learned then. */
interface Part {
  readonly keep: Uint8Array;
  readonly ranges: readonly Range[];
}

/** Refuses, before anything is computed, what would not fit. @throws TheveninError discovery/memory */
export const checkConstants = (engine: Engine, examples: readonly Example[]): void =>
  checkWholeModelMemory(engine, planBatches(engine, examples).batches, {
    what: 'constants',
    instead: 'another source, such as mean',
  });

/**
 * Learns on the clean prompts of the reference pairs, from means over their corrupt prompts.
 * The same seed on the same runtime and machine learns the same constants. Cost: for every sender (or once, for a circuit) 2 forward
 * and 1 backward passes per update over one batch; then 3 forward passes over all pairs.
 */
export async function learnConstants(
  engine: Engine,
  examples: readonly Example[],
  request: ConstantRequest,
): Promise<Constants> {
  const { batches } = planBatches(engine, examples);
  checkConstants(engine, examples);
  const layout = layoutOf(engine.model.config, engine.universe);
  const start = await startFrom(engine, batches, layout);
  const parts = request.circuit ? [circuitPart(layout, request.circuit)] : senderParts(engine, layout);
  const learned = await descend(engine, batches, { layout, start, parts, request });
  return choose(engine, examples, { layout, start, parts, learned, metric: metricOf(request) });
}

const metricOf = ({ metric = 'kl-divergence' }: Pick<ConstantRequest, 'metric'>): MetricKey => metric;

const circuitPart = ({ size }: Layout, keep: Uint8Array): Part => ({ keep, ranges: [{ start: 0, end: size }] });

const senderParts = (engine: Engine, { senders }: Layout): Part[] =>
  senderKeeps(engine).map((keep, sender) => ({ keep, ranges: [senders[sender] as Range] }));

/** [sender][edge] the circuit without the sender: none of its edges is kept. */
export const senderKeeps = ({ universe }: Engine): Uint8Array[] =>
  universe.senders.map((_, sender) => Uint8Array.from(universe.edgeSender, (from) => Number(from !== sender)));

interface Start {
  /** means of every site, also of those that are not learned */
  readonly means: Constants;
  readonly mean: Float64Array;
  /** the unit in which constants are learned: how much the sender's coordinates deviate, root mean square */
  readonly unit: Float64Array;
}

async function startFrom(engine: Engine, batches: readonly PlannedBatch[], layout: Layout): Promise<Start> {
  const moments = await measureMoments(engine, { batches, side: 'corrupt', grouping: EVERYTHING });
  const anyone = batches[0]?.examples[0];
  invariant(anyone, 'constants are learned on at least one pair');
  const { nLayers, dMlp } = engine.model.config;
  const perLayer: FixedSite[] = ['z', ...(dMlp > 0 ? (['m'] as const) : []), 'q', 'k', 'v'];
  const sites = Array.from({ length: nLayers }, (_, layer) => perLayer.map((site) => ({ site, layer }))).flat();
  const all = [{ site: 'embedding' as const, layer: 0 }, ...sites].map(({ site, layer }): [string, Moment] => [
    siteKey(site, layer),
    moments.of(site, layer, anyone),
  ]);
  const pick = (of: keyof Moment): Constants => new Map(all.map(([site, moment]) => [site, moment[of]]));
  const unit = vectorOf(layout, pick('deviation'));
  for (const { start, end } of layout.senders) {
    const own = unit.subarray(start, end);
    own.fill(Math.sqrt(own.reduce((sum, x) => sum + x * x, 0) / own.length));
  }
  const means = pick('mean');
  return { means, mean: vectorOf(layout, means), unit };
}

interface Learning {
  readonly layout: Layout;
  readonly start: Start;
  readonly parts: readonly Part[];
  readonly request: ConstantRequest;
}

/** Every part's constants, one part after the other. */
async function descend(
  engine: Engine,
  batches: readonly PlannedBatch[],
  { layout, start, parts, request }: Learning,
): Promise<Float64Array> {
  const result = Float64Array.from(start.mean);
  await withConstantModel(engine, batches, { layout, metric: metricOf(request) }, async (opened) => {
    for (const [index, part] of parts.entries()) {
      const own = await descendPart(engine, opened, { part, start, request });
      for (const { start: from, end } of part.ranges) result.set(own.subarray(from, end), from);
      request.onProgress?.(index + 1);
    }
  });
  return result;
}

/** Adam on u in c = mean + unit · u. */
async function descendPart(
  engine: Engine,
  batches: readonly ConstantBatch[],
  { part, start, request }: { part: Part; start: Start; request: ConstantRequest },
): Promise<Float64Array> {
  const { updates, rate } = { ...CONSTANT_DEFAULTS, ...request };
  const { runtime } = engine;
  const random = seeded(request.seed);
  const mask = runtime.tensor(Float32Array.from(part.keep), [part.keep.length]);
  const places = part.ranges.flatMap(({ start: from, end }) => Array.from({ length: end - from }, (_, i) => from + i));
  const vector = Float64Array.from(start.mean);
  const total = batches.reduce((sum, { examples }) => sum + examples, 0);
  const descent = await openDescent(runtime, places.length);
  try {
    let queue: ConstantBatch[] = [];
    for (let t = 1; t <= updates; t++) {
      request.signal?.throwIfAborted();
      if (queue.length === 0) queue = random.shuffled(batches);
      const batch = queue.pop() as ConstantBatch;
      const { gradient } = await batch.run(vector, mask);
      const share = (batch.examples * batches.length) / total; // every pair counts the same
      const own = Float64Array.from(places, (at) => -share * (gradient[at] as number) * (start.unit[at] as number));
      const moved = await descent.step(own, { rate: rate * (1 - (t - 1) / updates), t });
      places.forEach(
        (at, i) => (vector[at] = (start.mean[at] as number) + (start.unit[at] as number) * (moved[i] as number)),
      );
    }
    return vector;
  } finally {
    mask.dispose();
    await descent.dispose();
  }
}

/** Of each part what hurts least: what was learned, the mean, or zero. */
async function choose(
  engine: Engine,
  examples: readonly Example[],
  of: { layout: Layout; start: Start; parts: readonly Part[]; learned: Float64Array; metric: MetricKey },
): Promise<Constants> {
  const { layout, start, parts, learned, metric } = of;
  const candidates = [learned, start.mean, new Float64Array(layout.size)];
  const keeps = parts.map(({ keep }) => keep);
  const losses: Float64Array[] = [];
  for (const vector of candidates) {
    const source = await sourceOf(engine, constantsFrom(layout, vector, start.means));
    losses.push(await ablationLosses(engine, examples, { source, keeps, metric }));
  }
  const lossOf = (candidate: number, part: number): number => losses[candidate]?.[part] as number;
  const best = Float64Array.from(learned);
  parts.forEach(({ ranges }, part) => {
    const order = [0, 1, 2].sort((a, b) => lossOf(a, part) - lossOf(b, part));
    const chosen = candidates[order[0] as number] as Float64Array;
    for (const { start: from, end } of ranges) best.set(chosen.subarray(from, end), from);
  });
  return constantsFrom(layout, best, start.means);
}

const sourceOf = (engine: Engine, constants: Constants): Promise<AlternativeMaker> =>
  makeSource(engine, 'learned', { batches: [], side: 'corrupt', constants });

/** [circuit] metric clean − metric with everything outside the circuit ablated, mean over pairs. Cost: 2 + circuits forward passes. */
export async function ablationLosses(
  engine: Engine,
  examples: readonly Example[],
  { source, keeps, metric }: { source: AlternativeMaker | undefined; keeps: readonly Uint8Array[]; metric: MetricKey },
): Promise<Float64Array> {
  const losses = new Float64Array(keeps.length);
  for (const batch of planBatches(engine, examples).batches)
    await withSession(engine, batch, { metric, direction: 'noising', source }, async ({ ask, clean }) => {
      const answers = await ask(keeps.map((keep) => ({ kind: 'circuit', keep })));
      answers.forEach((values, i) =>
        values.forEach((value, example) => {
          losses[i] = (losses[i] as number) + ((clean[example] as number) - value) / examples.length;
        }),
      );
    });
  return losses;
}
