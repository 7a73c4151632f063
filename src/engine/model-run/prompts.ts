/** Full runs of prompts whose activations are kept: what questions compare with, read from and look back at. */
import type { Tensor } from '../../runtime/types.js';
import { Arena } from '../core/arena.js';
import type { Engine } from '../core/engine.js';
import { requireHeldByNorms } from '../core/finite.js';
import { forwardBlocks } from './block-forward.js';
import { attend, type HeadTensors } from './layers.js';
import { makeSpan, type Span } from '../core/span.js';
import type { Batch } from '../core/batches.js';

/**
 * What the senders of a run say, and the streams they add up to; all [1, examples, length, …]. A run of a prompt, or made up
 * (zeros, means).
 */
export interface Activations {
  readonly length: number;
  /** the stream entering each layer, and after attention */
  readonly pre: readonly Tensor[];
  readonly mid: readonly Tensor[];
  /** the stream after the last layer */
  readonly final: Tensor;
  /** [1, examples, heads, length, dHead] */
  readonly z: readonly Tensor[];
  /** empty for attention-only models */
  readonly m: readonly Tensor[];
  dispose(): void;
}

/** A run of the prompts themselves: also queries, keys (after the rotary embedding) and values. */
export interface CachedRun extends Activations {
  readonly heads: readonly { readonly q: Tensor; readonly k: Tensor; readonly v: Tensor }[];
}

export type PromptSide = 'clean' | 'corrupt';

/** Runs the clean or the corrupt prompts in full, keeping every site. Cost: one forward pass. */
const runPrompts = (engine: Engine, batch: Batch, side: PromptSide): Promise<CachedRun> => {
  const prompts = batch.examples.map((example) => example[side]);
  return runEmbedded(engine, batch.length, () => embed(engine, prompts));
};

/** Runs what `embedded` makes, token embeddings with learned positions [1, examples, length, d], keeping every site. */
export async function runEmbedded(engine: Engine, length: number, embedded: () => Promise<Tensor>): Promise<CachedRun> {
  const span = makeSpan(engine, 0, length);
  const kept = new Arena();
  try {
    return await runFrom(engine, kept.own(await embedded()), { span, kept });
  } catch (error) {
    kept.dispose();
    throw error;
  } finally {
    span.dispose();
  }
}

async function runFrom(
  engine: Engine,
  embedded: Tensor,
  { span, kept }: { span: Span; kept: Arena },
): Promise<CachedRun> {
  const [pre, mid, z, m]: [Tensor[], Tensor[], Tensor[], Tensor[]] = [[], [], [], []];
  const heads: HeadTensors[] = [];
  const final = await forwardBlocks(
    { engine, span },
    { x: embedded },
    {
      wanted: ['m'],
      attended: (made, keep) => {
        heads.push(kept.own({ q: keep(made.heads.q), k: keep(made.heads.k), v: keep(made.heads.v) }));
        z.push(kept.own(keep(made.z)));
        mid.push(kept.own(made.mid));
      },
      passed: (made, keep) => {
        pre.push(made.pre as Tensor);
        if (made.mlp['m']) m.push(kept.own(keep(made.mlp['m'])));
        kept.own(made.post);
      },
    },
  );
  engine.passed('forward', { tokens: tokensOf(embedded), span });
  return { length: span.length, pre, mid, final, z, m, heads, dispose: () => kept.dispose() };
}

export const tokensOf = (x: Tensor): number => x.shape.slice(0, 3).reduce((a, b) => a * b, 1);

/** Token embeddings plus learned positions: [1, examples, length, d]. */
export async function embed(engine: Engine, ids: readonly (readonly number[])[]): Promise<Tensor> {
  const length = (ids[0] as readonly number[]).length;
  const tokens = await tokenEmbeddings(engine, ids.flat());
  const values = await addPositions(engine, tokens, length);
  return engine.runtime.tensor(values, [1, ids.length, length, engine.model.config.dModel]);
}

/** What the embedding of each token writes to the stream, [tokens · d], positions not added. */
export async function tokenEmbeddings(engine: Engine, ids: readonly number[]): Promise<Float32Array | Float64Array> {
  const { weights, config } = engine.model;
  const stored = await weights.rows('embed.W_E', ids);
  const { embeddingScale: scale } = config;
  return scale === undefined ? stored : engine.precise(Float64Array.from(stored, (x) => x * scale));
}

async function addPositions(
  engine: Engine,
  tokens: Float32Array | Float64Array,
  length: number,
): Promise<Float32Array | Float64Array> {
  if (engine.model.config.positional !== 'learned') return tokens;
  const positions = await learnedPositions(engine, length);
  const values = engine.runtime.info.precision === 'float64' ? Float64Array.from(tokens) : tokens;
  for (let i = 0; i < values.length; i++)
    values[i] = (values[i] as number) + (positions[i % positions.length] as number);
  return values;
}

/** [length, d], zeros where the model learned none. */
export async function learnedPositions(engine: Engine, length: number): Promise<Float32Array> {
  const { config, weights } = engine.model;
  if (config.positional !== 'learned') return new Float32Array(length * config.dModel);
  return weights.rows(
    'pos_embed.W_pos',
    Array.from({ length }, (_, i) => i),
  );
}

/** The attention patterns of a cached run's layer [1, examples, heads, length, length]; recomputed, owned by the caller. */
export async function patternOf(engine: Engine, run: CachedRun, layer: number): Promise<Tensor> {
  const span = makeSpan(engine, 0, run.length);
  try {
    const heads = run.heads[layer] as CachedRun['heads'][number];
    return (await attend({ engine, layer, span }, heads, { cached: null, wanted: ['pattern'] }))['pattern'] as Tensor;
  } finally {
    span.dispose();
  }
}

/**
 * The first position at which the runs of any clean and corrupt prompt differ; `length` where the prompts are all equal. Without
 * a causal mask a difference anywhere is a difference everywhere.
 */
function firstDifference({ model }: Engine, { examples, length }: Batch): number {
  const firsts = examples.map(({ clean, corrupt }) => {
    const at = clean.findIndex((id, i) => id !== corrupt[i]);
    return at < 0 ? length : at;
  });
  const first = Math.min(length, ...firsts);
  return model.config.attention === 'causal' || first === length ? first : 0;
}

/** Both prompts of a batch, run and kept. */
export interface Prompts {
  readonly batch: Batch;
  readonly clean: CachedRun;
  readonly corrupt: CachedRun;
  /** positions before this are equal in every pair */
  readonly firstChange: number;
}

/** Runs both prompts, hands them to `work`, gives their memory back. Cost: two forward passes. */
export async function withPrompts<T>(engine: Engine, batch: Batch, work: (prompts: Prompts) => Promise<T>): Promise<T> {
  return withCachedRun(engine, batch, 'clean', (clean) =>
    withCachedRun(engine, batch, 'corrupt', (corrupt) =>
      work({ batch, clean, corrupt, firstChange: firstDifference(engine, batch) }),
    ),
  );
}

/** Runs one side, hands it to `work`, gives its memory back. */
export async function withCachedRun<T>(
  engine: Engine,
  batch: Batch,
  side: PromptSide,
  work: (run: CachedRun) => Promise<T>,
): Promise<T> {
  const run = await runPrompts(engine, batch, side);
  try {
    await requireHeldByNorms(engine, run.final);
    return await work(run);
  } finally {
    run.dispose();
  }
}
