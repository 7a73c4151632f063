/**
 * The model with its cut edges reading constants, as a program of these constants. It is the model under masks (`masks/program.ts`)
 * with the alternative streams written out:
 *
 *     alternative stream = positions + c_input + Σ over layers below (norm(Σ_h c_h W_O + b_O) + c_mlp)
 *
 * with the norm that follows attention, where the model has one.
 */
import type { Universe } from '../../../circuit/types.js';
import { normalise, normsWrites, type Arithmetic } from '../../../model/blocks.js';
import * as p from '../../../program/index.js';
import type { Value } from '../../../program/index.js';
import { B, maskedModel, part, POS } from '../masks/program.js';
import type { WholeModel } from '../whole-model.js';
import type { Layout, Range } from './layout.js';

/** Learned are the constants: inputs `constants` [size], `positions` [pos, d], `edge.mask` [edges] and the clean embedding `input`. */
export function constantModel(arithmetic: Arithmetic, universe: Universe, layout: Layout): WholeModel {
  const { dModel } = arithmetic.config;
  const masked = maskedModel(arithmetic, universe);
  const constants = p.input('constants', [layout.size]);
  const alternatives = alternativesOf(arithmetic, layout, constants);
  const replaced = masked.forward.inputs.flatMap((leaf): [Value, Value][] => {
    const value = alternatives.get(leaf.attributes.name);
    return value ? [[leaf, value]] : [];
  });
  const final = p.substitute([masked.forward.outputs['final'] as Value], new Map(replaced))[0] as Value;
  const arriving = p.input('gradient', [1, B, POS, dModel]);
  const [gradient] = p.differentiate([{ of: final, gradient: arriving }], [constants]) as [Value];
  return {
    forward: p.makeProgram('model with constants', { final }),
    backward: p.makeProgram('gradient at the constants', { gradient }),
    tables: masked.tables,
  };
}

/** The inputs of the model under masks that say what senders say instead, by name. */
function alternativesOf(arithmetic: Arithmetic, { sites }: Layout, constants: Value): Map<string, Value> {
  const { config, has } = arithmetic;
  const { nLayers, nHeads, dHead, dModel, dMlp } = config;
  const vector = p.input('x', [1, 1, 1, dModel]);
  const normed = part(normalise(vector, 'ln1Post', arithmetic), arithmetic);
  const positions = p.input('positions', [POS, dModel]);
  const constant = (site: string): Value => {
    const { start, end } = sites.get(site) as Range;
    return p.slice(constants, 0, [start, end]);
  };
  const everywhere = (vector: Value): Value => p.broadcast(p.reshape(vector, [1, 1, 1, dModel]), [1, B, POS, dModel]);
  const stream = (vector: Value): Value =>
    p.broadcast(p.reshape(p.add(positions, vector), [1, 1, POS, dModel]), [1, B, POS, dModel]);
  const values = new Map<string, Value>();
  let sum = constant('embedding@0'); // [d]
  for (let layer = 0; layer < nLayers; layer++) {
    values.set(`pre.${layer}`, stream(sum));
    const z = constant(`z@${layer}`);
    const byHead = p.reshape(z, [1, 1, nHeads, 1, dHead]);
    values.set(`z.${layer}`, p.broadcast(byHead, [1, B, nHeads, POS, dHead]));
    const weights = p.parameter(`${layer}.o.byHead`, [nHeads, dHead, dModel]);
    const written = p.reshape(p.sum(p.matmul(p.reshape(z, [nHeads, 1, dHead]), weights), [0]), [dModel]);
    const bias = has.oBias ? p.parameter(`${layer}.o.bias`, [dModel]) : null;
    if (normsWrites(arithmetic)) {
      const x = p.reshape(bias ? p.add(written, bias) : written, [1, 1, 1, dModel]);
      sum = p.add(sum, p.reshape(normed(layer, { x, alt: x }), [dModel]));
    } else {
      sum = p.add(sum, written);
      if (bias) sum = p.add(sum, bias);
    }
    values.set(`mid.${layer}`, stream(sum));
    if (dMlp === 0) continue;
    const m = constant(`m@${layer}`);
    values.set(`m.${layer}`, everywhere(m));
    sum = p.add(sum, m);
  }
  return values.set('final', stream(sum));
}
