import { drawHeatMap, type HeatMapOptions } from '../charts/heat-map/svg.js';
import { patchingPage } from '../pages/patching.js';
import { PATCHING_SCHEMA, type PatchingRecord } from '../records/patching.js';
import { page, pairsFile, type RunFolder } from './types.js';

/** Values are written into cells, and layer 0 stands at the top, where that was asked for. */
const optionsOf = ({ request }: PatchingRecord): HeatMapOptions => ({
  numbers: request?.['numbers'] === true,
  flip: request?.['flip'] === true,
});

export const PATCHING: RunFolder<PatchingRecord> = {
  key: 'patching',
  file: 'patching.json',
  schema: PATCHING_SCHEMA,
  sidecars: ({ grids }) => grids.map(({ perExample }) => perExample),
  lists: pairsFile,
  views: [
    page('patching.html', 'every grid on one page', (record) => patchingPage(record, optionsOf(record))),
    {
      key: 'grids',
      title: 'a map of every grid',
      render: ({ record }) =>
        record.grids.map((grid) => ({
          file: `${grid.grid}.svg`,
          content: drawHeatMap(record, grid, optionsOf(record)),
        })),
    },
  ],
};
