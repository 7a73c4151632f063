/**
 * The named dims of the engine's programs. Activations are [questions, examples, pos, …]: every question (an intervention) is
 * asked of every example, at the positions from the first that can change to the last.
 *
 * Cached runs hold all `length` positions of one question's worth, [1, examples, length, …]; `positions` [pos] says which of
 * them are recomputed and `prefix.positions` [prefix] which are only looked back at.
 */
import * as p from '../../program/index.js';
import type { Value } from '../../program/index.js';
import type { Arithmetic } from '../../model/blocks.js';
import type { ModelConfig } from '../../model/types.js';

export const Q = 'questions';
export const B = 'examples';
export const POS = 'pos';
export const LENGTH = 'length';
export const PREFIX = 'prefix';

const positions = (): Value => p.input('positions', [POS], 'int');

/** A residual-stream input [questions, examples, pos, d]. */
export const stream = (name: string, { dModel }: ModelConfig): Value => p.input(name, [Q, B, POS, dModel]);

/** A cached residual-stream input [1, examples, length, d], at the recomputed positions: [1, examples, pos, d]. */
export const cachedStream = (name: string, { dModel }: ModelConfig): Value =>
  p.gather(p.input(name, [1, B, LENGTH, dModel]), positions(), 2);

/** Per-head values [questions, examples, heads, pos, dHead]. */
export const heads = (name: string, { nHeads, dHead }: ModelConfig): Value => p.input(name, [Q, B, nHeads, POS, dHead]);

/** Cached per-head values [1, examples, heads, length, dHead], whole. */
export const cachedHeads = (name: string, { nHeads, dHead }: ModelConfig): Value =>
  p.input(name, [1, B, nHeads, LENGTH, dHead]);

/** Cached values at the recomputed positions (axis 3). */
export const atPositions = (cached: Value): Value => p.gather(cached, positions(), 3);

/** Cached values at the positions before the first recomputed one (axis 3). */
export const atPrefix = (cached: Value): Value => p.gather(cached, p.input('prefix.positions', [PREFIX], 'int'), 3);

/** now + swap · (alternative − now): 0 keeps, 1 replaces, between interpolates. */
export const swapped = (now: Value, alternative: Value, swap: Value): Value =>
  p.add(now, p.mul(swap, p.sub(alternative, now)));

/** Keys (or values) of the recomputed positions behind those of the prefix. */
export function withPrefix(local: Value, name: 'k' | 'v', { config }: Arithmetic, variant: { prefix: boolean }): Value {
  if (!variant.prefix) return local;
  const cached = atPrefix(cachedHeads(`${name}.cached`, config)); // [1, examples, heads, prefix, dHead]
  const shape = [...local.shape.slice(0, 3), PREFIX, config.dHead];
  return p.concat([p.broadcast(cached, shape), local], 3);
}
