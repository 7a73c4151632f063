/** Alternatives: the other prompt, zeros, and means over reference prompts. */
import type { Tensor } from '../runtime/types.js';
import { Arena, withArena } from './arena.js';
import type { Engine } from './engine.js';
import { output, type HeadTensors } from './layers.js';
import { learnedPositions, patternOf, withCachedRun, type Batch, type CachedRun, type PromptSide } from './prompts.js';
import type { SourceKind } from './questions.js';
import type { Alternative } from './setting.js';

/** The other prompt's run as the source: a node cut off from everything says exactly what it said there. */
export function otherPrompt(engine: Engine, run: CachedRun, firstChange: number): Alternative {
  return {
    ...run,
    pattern: (layer) => patternOf(engine, run, layer),
    isRun: true,
    firstChange,
    dispose: () => undefined,
  };
}

/** Sites whose values are averaged. */
type AveragedSite = 'embedding' | 'z' | 'm' | 'q' | 'k' | 'v';

/**
 * Means of every node over reference prompts: with `positional`, one per position (prompts of each length apart); else over all
 * positions too. Held in float64; a few vectors per node.
 */
export interface Means {
  readonly positional: boolean;
  /** site@layer (@length where positional) → mean, [heads, length|1, dHead] or [length|1, d] */
  readonly values: ReadonlyMap<string, Float64Array>;
}

const keyOf = (site: AveragedSite, layer: number, length: number | null): string =>
  `${site}@${layer}${length === null ? '' : `@${length}`}`;

/** Cost: one forward pass over the reference prompts. */
async function measureMeans(
  engine: Engine,
  batches: readonly Batch[],
  options: { positional: boolean; side: PromptSide },
): Promise<Means> {
  const sums = new Map<string, Float64Array>();
  const counts = new Map<string, number>();
  for (const batch of batches)
    await withCachedRun(engine, batch, options.side, (run) =>
      withArena(async (arena) => {
        for (const one of await averagedTensors(engine, run, arena))
          await accumulate(one, { sums, counts, positional: options.positional, length: batch.length });
      }),
    );
  for (const [key, sum] of sums)
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) / (counts.get(key) as number);
  return { positional: options.positional, values: sums };
}

interface Averaged {
  readonly site: AveragedSite;
  readonly layer: number;
  /** [1, examples, rows…, length, columns]: rows are heads or nothing */
  readonly tensor: Tensor;
}

async function averagedTensors(engine: Engine, run: CachedRun, arena: Arena): Promise<Averaged[]> {
  const per = (site: AveragedSite, list: readonly Tensor[]): Averaged[] =>
    list.map((tensor, layer) => ({ site, layer, tensor }));
  const role = (name: 'q' | 'k' | 'v'): Tensor[] => run.heads.map((heads) => heads[name]);
  const positions = await learnedPositions(engine, run.length);
  const pre = run.pre[0] as Tensor;
  const embedding = (await pre.read()).map((x, i) => x - (positions[i % positions.length] as number)) as Float32Array;
  const input = {
    site: 'embedding' as const,
    layer: 0,
    tensor: arena.own(engine.runtime.tensor(embedding, pre.shape)),
  };
  return [
    input,
    ...per('z', run.z),
    ...per('m', run.m),
    ...per('q', role('q')),
    ...per('k', role('k')),
    ...per('v', role('v')),
  ];
}

async function accumulate(
  { site, layer, tensor }: Averaged,
  into: { sums: Map<string, Float64Array>; counts: Map<string, number>; positional: boolean; length: number },
): Promise<void> {
  const values = await tensor.read();
  const columns = tensor.shape.at(-1) as number;
  const heads = tensor.shape.length === 5 ? (tensor.shape[2] as number) : 1;
  const examples = tensor.shape[1] as number;
  const rows = into.positional ? into.length : 1;
  const key = keyOf(site, layer, into.positional ? into.length : null);
  const sum = into.sums.get(key) ?? new Float64Array(heads * rows * columns);
  for (let i = 0; i < values.length; i++) {
    const column = i % columns;
    const position = Math.floor(i / columns) % into.length;
    const head = Math.floor(i / columns / into.length) % heads;
    const at = (head * rows + (into.positional ? position : 0)) * columns + column;
    sum[at] = (sum[at] as number) + (values[i] as number);
  }
  into.sums.set(key, sum);
  into.counts.set(key, (into.counts.get(key) ?? 0) + (into.positional ? examples : examples * into.length));
}

/**
 * A made-up run in which every sender says a fixed value: zero, or its mean. Its streams are those values added up, with the
 * learned positions (unless `positions` is false) and the attention output biases, which belong to no node.
 */
async function fixedAlternative(
  engine: Engine,
  batch: Batch,
  means: Means | null,
  { positions: withPositions = true }: { readonly positions?: boolean } = {},
): Promise<Alternative> {
  const arena = new Arena();
  const { config } = engine.model;
  const { nLayers, nHeads, dHead, dModel, dMlp } = config;
  const examples = batch.examples.length;
  const { length } = batch;
  const headShape = [1, examples, nHeads, length, dHead];
  const streamShape = [1, examples, length, dModel];
  const fill = (site: AveragedSite, layer: number, shape: readonly number[]): Tensor =>
    arena.own(engine.runtime.tensor(engine.precise(spreadMean(means, { site, layer, length, shape })), shape));
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  const z = layers.map((layer) => fill('z', layer, headShape));
  const m = dMlp === 0 ? [] : layers.map((layer) => fill('m', layer, streamShape));
  const heads: HeadTensors[] = layers.map((layer) => ({
    q: fill('q', layer, headShape),
    k: fill('k', layer, headShape),
    v: fill('v', layer, headShape),
  }));
  const positions = await learnedPositions(engine, length);
  const start = spreadMean(means, { site: 'embedding', layer: 0, length, shape: streamShape });
  if (withPositions)
    for (let i = 0; i < start.length; i++)
      start[i] = (start[i] as number) + (positions[i % positions.length] as number);
  const streams = await addUp(engine, arena, {
    start: arena.own(engine.runtime.tensor(engine.precise(start), streamShape)),
    z,
    m,
  });
  const pattern = async (): Promise<Tensor> => {
    const shape = [1, examples, nHeads, length, length];
    return Promise.resolve(engine.runtime.tensor(new Float32Array(examples * nHeads * length * length), shape));
  };
  return { length, ...streams, z, m, heads, pattern, isRun: false, firstChange: 0, dispose: () => arena.dispose() };
}

function spreadMean(
  means: Means | null,
  of: { site: AveragedSite; layer: number; length: number; shape: readonly number[] },
): Float64Array {
  const size = of.shape.reduce((a, b) => a * b, 1);
  const result = new Float64Array(size);
  if (!means) return result;
  const mean = means.values.get(keyOf(of.site, of.layer, means.positional ? of.length : null));
  if (!mean)
    throw new Error(`engine/sources: no mean of ${of.site} in layer ${of.layer} for prompts of ${of.length} tokens`);
  const columns = of.shape.at(-1) as number;
  const heads = of.shape.length === 5 ? (of.shape[2] as number) : 1;
  const rows = means.positional ? of.length : 1;
  for (let i = 0; i < size; i++) {
    const position = Math.floor(i / columns) % of.length;
    const head = Math.floor(i / columns / of.length) % heads;
    result[i] = mean[(head * rows + (means.positional ? position : 0)) * columns + (i % columns)] as number;
  }
  return result;
}

/** The streams that fixed senders add up to. */
async function addUp(
  engine: Engine,
  arena: Arena,
  senders: { start: Tensor; z: readonly Tensor[]; m: readonly Tensor[] },
): Promise<{ pre: Tensor[]; mid: Tensor[]; final: Tensor }> {
  const [pre, mid]: [Tensor[], Tensor[]] = [[], []];
  let x = senders.start;
  for (const [layer, z] of senders.z.entries()) {
    pre.push(x);
    const middle = arena.own(await output({ engine, layer }, x, z));
    mid.push(middle);
    const m = senders.m[layer];
    x = m ? (arena.own(await engine.run({ name: 'addStreams', inputs: { a: middle, b: m } }))['x'] as Tensor) : middle;
  }
  return { pre, mid, final: x };
}

/** Makes the alternative of a batch. */
export type AlternativeMaker = (batch: Batch, runs: { other: CachedRun; firstChange: number }) => Promise<Alternative>;

/**
 * @param reference prompts whose means are taken; needed for the two means only
 * @param side which prompt of the reference examples speaks
 */
export async function makeSource(
  engine: Engine,
  kind: SourceKind,
  reference: { batches: readonly Batch[]; side: PromptSide },
): Promise<AlternativeMaker> {
  return SOURCES[kind](engine, reference);
}

type SourceMaker = (
  engine: Engine,
  reference: { batches: readonly Batch[]; side: PromptSide },
) => Promise<AlternativeMaker>;

const meanSource =
  (positional: boolean): SourceMaker =>
  async (engine, { batches, side }) => {
    const means = await measureMeans(engine, batches, { positional, side });
    return (batch) => fixedAlternative(engine, batch, means);
  };

/** Every source of alternatives; a new one is a line here. */
const SOURCES: { readonly [Kind in SourceKind]: SourceMaker } = {
  other: (engine) =>
    Promise.resolve(async (_, { other, firstChange }) => Promise.resolve(otherPrompt(engine, other, firstChange))),
  zero: (engine) => Promise.resolve((batch) => fixedAlternative(engine, batch, null)),
  'zero-with-positions': (engine) =>
    Promise.resolve((batch) => fixedAlternative(engine, batch, null, { positions: false })),
  mean: meanSource(false),
  'mean-positional': meanSource(true),
};
