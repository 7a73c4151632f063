import type { Question, SiteKind } from '../../src/engine/questions.js';
import type { BenchContext, TimedRow } from '../types.js';
import { GPT2_SMALL } from '../workload.js';

const { nLayers, nHeads } = GPT2_SMALL;
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Every layer, or every third, in the middle of its three: cost is linear in the layer, so their mean is the same. */
const layersAsked = (quick: boolean): number[] => range(nLayers).filter((layer) => !quick || layer % 3 === 1);

const site = (kind: SiteKind, layer: number, at: { heads: number[] } | { positions: number[] }): Question => ({
  kind: 'sites',
  sites: [{ kind, layer, ...at }],
});

const grid = (
  name: string,
  limit: number,
  ofLayer: (layer: number, context: BenchContext) => Question[],
): TimedRow => ({
  kind: 'timed',
  name,
  limit,
  unit: '× forward',
  async prepare(context) {
    const layers = layersAsked(context.quick);
    const questions = layers.flatMap((layer) => ofLayer(layer, context));
    return { run: () => context.session.ask(questions), share: layers.length / nLayers };
  },
});

export const heads = grid('all 144 heads patched, all positions', 60, (layer) =>
  range(nHeads).map((head) => site('z', layer, { heads: [head] })),
);

export const residual = grid('residual stream patched, 12 layers × 16 positions', 80, (layer, { workload }) =>
  range(workload.batch.length).map((position) => site('resid-pre', layer, { positions: [position] })),
);
