/** Masked models run on batches: the metric and its gradient at the masks. */
import type { PlannedBatch } from '../../../engine/core/batches.js';
import type { Engine } from '../../../engine/core/engine.js';
import type { AskOptions, Session } from '../../../engine/questions/session.js';
import { mlpInputOf } from '../../../engine/model-run/bound-run.js';
import type { Tensor, Tensors } from '../../../runtime/types.js';
import { checkWholeModelMemory, withWholeModel, type WholeBatch, type WholeRun } from '../whole-model.js';
import { maskedModel } from './program.js';

/** The model under masks on one batch. */
export interface MaskedBatch extends Pick<WholeBatch, 'clean' | 'corrupt'> {
  /** masks [edges]; its gradient is at them */
  run(mask: Tensor): Promise<WholeRun>;
}

/** Prepares the programs, opens a session on every batch, and gives everything back. Cost: two forward passes. */
export function withMaskedModel<T>(
  engine: Engine,
  batches: readonly PlannedBatch[],
  asked: AskOptions,
  work: (batches: readonly MaskedBatch[]) => Promise<T>,
): Promise<T> {
  const what = `masks of ${engine.universe.edgeCount} edges`;
  checkWholeModelMemory(engine, batches, { what, instead: 'a method that goes layer by layer, such as eap-ig' });
  const model = maskedModel(engine.arithmetic, engine.universe);
  return withWholeModel(engine, batches, { asked, model, inputs: ({ bound }) => alternatives(bound) }, (opened) =>
    work(opened.map(({ clean, corrupt, run }) => ({ clean, corrupt, run: (mask) => run({ 'edge.mask': mask }) }))),
  );
}

/** What the alternatives are called in the programs. */
function alternatives({ engine, base, alternative }: Session['bound']): Tensors {
  const { pre, z, m, final } = alternative;
  const byLayer = (name: string, tensors: readonly Tensor[]): [string, Tensor][] =>
    tensors.map((tensor, layer) => [`${name}.${layer}`, tensor]);
  const mid = m.map((_, layer) => mlpInputOf(engine, alternative, layer));
  const middle = engine.universe.shape.parallelBlocks ? [] : byLayer('mid', mid);
  return {
    ...Object.fromEntries([...byLayer('pre', pre), ...middle, ...byLayer('z', z), ...byLayer('m', m)]),
    input: base.pre[0] as Tensor,
    final,
  };
}
