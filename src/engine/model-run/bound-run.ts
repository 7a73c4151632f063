/** What questions are asked against: a base run, where alternatives come from, and the judge. */
import { refuse } from '../../errors.js';
import { mlpReads, normsWrites } from '../../model/blocks.js';
import type { Tensor } from '../../runtime/types.js';
import type { Arena } from '../core/arena.js';
import type { Engine } from '../core/engine.js';
import type { Judge } from '../core/judge.js';
import type { Activations, CachedRun } from './prompts.js';
import type { Batch } from '../core/batches.js';
import type { Span } from '../core/span.js';

/** The values that interventions bring in. */
export interface Alternative extends Activations {
  /** queries, keys and values; their shapes are the base run's */
  readonly heads: CachedRun['heads'];
  /** [1, examples, heads, length, length] of one layer; the caller owns it */
  pattern(layer: number): Promise<Tensor>;
  /** false: these values say nothing of patterns; default true */
  readonly hasPatterns?: boolean;
  /** the alternatives are one full run of the model: a node whose inputs are all cut says exactly its alternative */
  readonly isRun: boolean;
  /** base and alternative agree before this position */
  readonly firstChange: number;
}

export interface BoundRun {
  readonly engine: Engine;
  readonly batch: Batch;
  readonly base: CachedRun;
  readonly alternative: Alternative;
  readonly judge: Judge;
}

/** What running on from somewhere in the model takes: the runs that are cached, and nothing of how answers are judged. */
export type Runs = Pick<BoundRun, 'engine' | 'base' | 'alternative'>;

/** The stream after a layer. */
export const postOf = (run: Activations, layer: number): Tensor => run.pre[layer + 1] ?? run.final;

/** What a layer's MLP reads: the stream after attention, or before it in parallel blocks. */
export const mlpInputOf = (engine: Engine, run: Activations, layer: number): Tensor =>
  run[mlpReads(engine.model.config) ?? 'mid'][layer] as Tensor;

/** For what is defined through writes that add up, as they do not where a norm follows them. @throws TheveninError model/post-norm */
export function refuseBehindNorm({ model, arithmetic }: Engine, what: string, instead: string): void {
  if (normsWrites(arithmetic))
    refuse(
      'model/post-norm',
      `${model.config.name} norms what attention and MLPs write, so that their parts do not add up: ${what} is not defined there; ${instead}`,
    );
}

/** The layer's tensor of a list that has one per layer. */
export const at = <T>(list: readonly T[], layer: number): T => list[layer] as T;

/** A float tensor that lives as long as the arena. */
export const floats = (
  bound: { engine: Engine },
  arena: Arena,
  of: { values: Float32Array | Float64Array; shape: readonly number[] },
): Tensor => arena.own(bound.engine.runtime.tensor(of.values, of.shape));

export const ints = (bound: { engine: Engine }, arena: Arena, values: readonly number[]): Tensor =>
  arena.own(bound.engine.runtime.tensor(Int32Array.from(values), [values.length], 'int'));

/** A cached stream at the span's positions, one copy per question, moved by swap · (alt − now). */
export async function shifted(
  bound: Pick<Runs, 'engine'>,
  span: Span,
  streams: { base: Tensor; now: Tensor; alt: Tensor; swap: Tensor },
): Promise<Tensor> {
  const { engine } = bound;
  const result = await engine.run({ name: 'shift', inputs: { ...streams, positions: span.positions } });
  return result['x'] as Tensor;
}

/** A cached stream at the span's positions, one copy per question. */
export async function spread(
  bound: Pick<Runs, 'engine'>,
  span: Span,
  of: { stream: Tensor; questions: number; arena: Arena },
): Promise<Tensor> {
  const zeros = floats(bound, of.arena, {
    values: new Float32Array(of.questions * span.count),
    shape: [of.questions, 1, span.count, 1],
  });
  return shifted(bound, span, { base: of.stream, now: of.stream, alt: of.stream, swap: zeros });
}

/**
 * The earliest position a run must recompute: not before anything changes, and no later than the first answer. Where every
 * position looks at every other, that is the first.
 */
export const clampStart = ({ engine, judge, batch }: BoundRun, start: number): number =>
  engine.model.config.attention === 'causal' ? Math.min(start, judge.firstAnswer, batch.length - 1) : 0;
