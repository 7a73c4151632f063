/**
 * What comes out of a model is a number, or refused. A float32 ends at 3.4e38; beyond it a matrix product becomes infinite, a softmax of
 * it NaN, and everything after that NaN too: so the last values, which are few, tell of all before them.
 */
import { refuse } from '../../errors.js';
import type { Tensor } from '../../runtime/types.js';
import type { Engine } from './engine.js';

const ADVICE =
  'its weights or what was added to its activations are too large for float32: get the files again, take smaller doses, or compute in float64 with --runtime reference';

/** The values, once it is sure that all are numbers. @throws TheveninError engine/overflow */
export const requireFinite = <Values extends Float32Array | Float64Array>(
  { model }: Pick<Engine, 'model'>,
  values: Values,
  what: string,
): Values => {
  for (const value of values)
    if (!Number.isFinite(value)) refuse('engine/overflow', `${what} of ${model.source} is ${value}; ${ADVICE}`);
  return values;
};

const FLOAT32_MAX = 3.4028235e38;

/**
 * Norms hide an overflow: where Σ x² is beyond float32, they divide by infinity and say 0, of which the model makes a plausible uniform
 * answer. Streams only ever get longer by what is added to them, and what a layer adds after an overflow is made of zeros, so that a
 * stream which overflowed in any layer's norm still does at the end: one look at the final stream [1, examples, pos, d] of every run of
 * prompts suffices. It costs d multiplications for each token, beside some 12 · layers · d² of the run itself, and no kernel.
 *
 * @throws TheveninError engine/overflow
 */
export const requireHeldByNorms = async ({ model, runtime }: Engine, final: Tensor): Promise<void> => {
  const { norm, dModel } = model.config;
  const { precision, shapesOnly } = runtime.info;
  if (norm === null || precision !== 'float32' || shapesOnly) return;
  const values = await final.read();
  for (let from = 0; from < values.length; from += dModel) {
    let squares = 0;
    for (let i = from; i < from + dModel; i++) squares += (values[i] as number) ** 2;
    if (!(squares <= FLOAT32_MAX))
      refuse(
        'engine/overflow',
        `the residual stream of ${model.source} reaches a length of ${Math.sqrt(squares).toExponential(1)}, whose square no float32 norm can hold; ${ADVICE}`,
      );
  }
};
