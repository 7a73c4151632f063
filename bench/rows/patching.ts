import type { Question, SiteKind } from '../../src/engine/questions/questions.js';
import { runGrids } from '../../src/interventions/patching/patching.js';
import { planGrids } from '../../src/interventions/patching/plan.js';
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

/** All 1,296 cells take minutes: those of a third of the layers, or of two that lie alike around the middle. */
const layersOfEvery = (quick: boolean): number[] => (quick ? [3, 8] : layersAsked(true));

/** As `thevenin patch --grid every` asks them: streams by position; outputs, queries, keys, values and patterns of heads. */
export const everyGrid: TimedRow = {
  kind: 'timed',
  name: 'a cell of the "every" grid, mean over those of every third layer',
  limit: 0.6,
  unit: '× forward',
  async prepare({ workload: { engine, batch }, quick }) {
    const options = { metric: 'logit-difference', direction: 'denoising' } as const;
    const grids = planGrids(GPT2_SMALL, batch.examples, { grid: 'every', layers: layersOfEvery(quick) });
    const cells = grids.reduce((sum, one) => sum + one.cells, 0);
    return { run: () => runGrids(engine, batch.examples, { ...options, grids }), share: cells };
  },
};
