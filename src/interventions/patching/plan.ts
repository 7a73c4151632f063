/** From what is asked to grids that can be run: everything that can be wrong is found here, before any compute. */
import type { Question, Site } from '../../engine/questions/questions.js';
import { pieces } from '../../engine/core/chunks.js';
import { refuse } from '../../errors.js';
import type { ModelConfig } from '../../model/types.js';
import type { Example } from '../../task/types.js';
import { EVERY, findGrid } from './grids.js';
import { PLACES, usualWay, type PlacesOptions, type Axis, type By, type Places } from '../../text/divide.js';
import type { GridKind, PlannedGrid } from './types.js';

export interface GridRequest extends Partial<PlacesOptions> {
  /** a grid's key, or `every` */
  readonly grid: string;
  /** undefined: as each grid has it; of `every` it divides the streams alone */
  readonly by?: By | undefined;
  /** undefined: all layers */
  readonly layers?: readonly number[] | undefined;
}

/** A grid whose cells are sites of one kind. */
export interface SitesGrid extends PlannedGrid {
  readonly kind: GridKind;
  readonly layers: readonly number[];
  readonly places: Places;
  /** cells of a layer */
  readonly cellsPerLayer: number;
  /** what a cell asks of an example */
  question(cell: number, example: Example): Question;
}

/**
 * The grids asked for, with their axes.
 * @throws TheveninError interventions/grid: unknown, the model lacks the site or the layer, or layers must be chosen;
 * interventions/positions: prompts of unequal lengths, or a span that some prompts lack
 */
export function planGrids(config: ModelConfig, examples: readonly Example[], request: GridRequest): SitesGrid[] {
  const layers = request.layers ?? Array.from({ length: config.nLayers }, (_, layer) => layer);
  const outside = layers.find((layer) => layer >= config.nLayers);
  if (outside !== undefined)
    refuse('interventions/grid', `there is no layer ${outside}: the model's layers are 0 … ${config.nLayers - 1}`);
  return kindsOf(config, request).map((kind) => planGrid(kind, { config, examples, request, layers }));
}

function kindsOf(config: ModelConfig, { grid }: GridRequest): GridKind[] {
  if (grid === 'every') return EVERY.map(findGrid).filter((kind) => kind.absent(config) === null);
  const kind = findGrid(grid);
  const absent = kind.absent(config);
  if (absent !== null) refuse('interventions/grid', `the model has no ${grid} to patch: ${absent}`);
  return [kind];
}

interface Given {
  readonly config: ModelConfig;
  readonly examples: readonly Example[];
  readonly request: GridRequest;
  readonly layers: readonly number[];
}

/** Questions asked at once, so that progress and Ctrl-C do not wait for a whole layer of neurons. */
const AT_ONCE = 256;

function planGrid(kind: GridKind, { config, examples, request, layers }: Given): SitesGrid {
  const fixed = request.grid === 'every' && kind.by === 'all';
  const asked = fixed ? undefined : request.by;
  const { by, spans } = asked === undefined ? usualWay(kind.by, examples) : { by: asked };
  const places = PLACES[by](examples, { spans: request.spans ?? spans, tokenText: request.tokenText });
  const axes = [...kind.axes(config, layers), ...placeAxes(kind, places)];
  const cells = axes.reduce((product, { labels }) => product * labels.length, 1);
  const cellsPerLayer = cells / layers.length;
  if (kind.vast && request.layers === undefined) refuseVast(kind, { config, cells });
  const ofLayer = (layer: number, example: Example): Question[] =>
    questionsAt(kind, kind.sites(config, layer), places.positions(example));
  return {
    ...{ kind, axes, cells, layers, places, cellsPerLayer },
    layout: (example) => places.positions(example),
    question: (cell, example) => {
      const layer = layers[Math.floor(cell / cellsPerLayer)] as number;
      return ofLayer(layer, example)[cell % cellsPerLayer] as Question;
    },
    ask: async (session, take) => {
      let cell = 0;
      for (const layer of layers)
        for (const questions of pieces(ofLayer(layer, session.bound.batch.examples[0] as Example), AT_ONCE)) {
          take(cell, await session.ask(questions));
          cell += questions.length;
        }
    },
  };
}

const refuseVast = ({ key }: GridKind, { config, cells }: { config: ModelConfig; cells: number }): never =>
  refuse(
    'interventions/grid',
    `the grid ${key} needs chosen layers: all ${config.nLayers} have ${cells.toLocaleString('en-US')} cells, each a run of its own; name some with --layers, e.g. --layers ${config.nLayers - 1}`,
  );

const placeAxes = ({ pairs }: GridKind, { axis }: Places): Axis[] => {
  if (axis === null) return [];
  return pairs ? [{ ...axis, name: 'query' }, { ...axis, name: 'key' }] : [axis]; // prettier-ignore
};

type PositionSets = readonly (readonly number[] | undefined)[];

/** A layer's questions, in the order of the axes. */
const questionsAt = ({ pairs }: GridKind, sites: readonly Site[], divided: PositionSets): Question[] => {
  const at = (site: Site, which: 'positions' | 'keys'): Site[] =>
    divided.map((positions) => (positions ? { ...site, [which]: positions } : site));
  const queries = sites.flatMap((site) => at(site, 'positions'));
  const placed = pairs ? queries.flatMap((site) => at(site, 'keys')) : queries;
  return placed.map((site) => ({ kind: 'sites', sites: [site] }));
};
