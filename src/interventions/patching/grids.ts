/** Every grid of activation patching. */
import { refuse } from '../../errors.js';
import { choicesFor } from '../../nearest.js';
import type { SiteKind } from '../../engine/questions/questions.js';
import type { GridKind } from './types.js';

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);

type Described = Pick<GridKind, 'title'> & Partial<Pick<GridKind, 'absent'>>;

/** One site in each layer; by position unless asked otherwise. */
const perLayer = (kind: SiteKind, { title, absent = () => null }: Described): GridKind => ({
  key: kind,
  title,
  absent,
  by: 'position',
  axes: (_, layers) => [{ name: 'layer', labels: layers.map(String) }],
  sites: (_, layer) => [{ kind, layer }],
});

/** One site for each head; at all positions unless asked otherwise. */
const perHead = (kind: SiteKind, { title, absent = () => null }: Described): GridKind => ({
  key: kind,
  title,
  absent,
  by: 'all',
  axes: ({ nHeads }, layers) => [
    { name: 'layer', labels: layers.map(String) },
    { name: 'head', labels: numbered(nHeads) },
  ],
  sites: ({ nHeads }, layer) => Array.from({ length: nHeads }, (_, head) => ({ kind, layer, heads: [head] })),
});

/** A new grid is a line here. Positions of `pattern` are those of the queries, of `k` and `v` those of the keys. */
export const GRIDS: readonly GridKind[] = [
  perLayer('resid-pre', { title: 'residual stream before each layer' }),
  perLayer('resid-mid', {
    title: 'residual stream between attention and MLP',
    absent: ({ parallelBlocks }) =>
      parallelBlocks ? 'its attention and MLP run side by side, with no stream between them' : null,
  }),
  perLayer('resid-post', { title: 'residual stream after each layer' }),
  perLayer('attention-out', { title: 'output of attention' }),
  perLayer('mlp-out', {
    title: 'output of the MLP',
    absent: ({ dMlp }) => (dMlp === 0 ? 'it has no MLPs' : null),
  }),
  {
    key: 'neurons',
    title: 'each neuron of the MLP',
    absent: ({ dMlp }) => (dMlp === 0 ? 'it has no MLPs' : null),
    by: 'all',
    vast: true,
    axes: ({ dMlp }, layers) => [
      { name: 'layer', labels: layers.map(String) },
      { name: 'neuron', labels: numbered(dMlp) },
    ],
    sites: ({ dMlp }, layer) => Array.from({ length: dMlp }, (_, j) => ({ kind: 'neurons', layer, neurons: [j] })),
  },
  perHead('z', { title: 'output of each head' }),
  perHead('q', { title: 'query of each head' }),
  perHead('k', { title: 'key of each head' }),
  perHead('v', { title: 'value of each head' }),
  perHead('pattern', { title: 'attention pattern of each head' }),
  {
    ...perHead('pattern', { title: 'attention from query to key' }),
    key: 'pattern-entries',
    by: 'position',
    pairs: true,
  },
];

/** The streams by position and the heads, in one go; what the model lacks is left out. */
export const EVERY: readonly string[] = ['resid-pre', 'attention-out', 'mlp-out', 'z', 'q', 'k', 'v', 'pattern'];

/** @throws TheveninError interventions/grid */
export const findGrid = (key: string): GridKind =>
  GRIDS.find((grid) => grid.key === key) ??
  refuse(
    'interventions/grid',
    `no grid is called "${key}"; choose one of ${choicesFor(key, [...GRIDS.map((grid) => grid.key), 'every'])}`,
  );
