import { drawHeatMap } from '../charts/heat-map/svg.js';
import { drawEffects } from '../charts/tracing.js';
import { patchingPage } from '../pages/patching.js';
import type { GridRecord } from '../records/patching.js';
import { TRACING_SCHEMA, type TracingRecord } from '../records/tracing.js';
import { page, pairsFile, type RunFolder } from './types.js';

const drawPage = (record: TracingRecord): string =>
  patchingPage(record, { numbers: false, beside: (grid: GridRecord) => drawEffects(record, grid) });

export const TRACING: RunFolder<TracingRecord> = {
  key: 'tracing',
  file: 'tracing.json',
  schema: TRACING_SCHEMA,
  sidecars: ({ grids }) => grids.map(({ perExample }) => perExample),
  lists: pairsFile,
  views: [
    page('tracing.html', 'every grid and its effects on one page', drawPage),
    {
      key: 'grids',
      title: 'a map of every grid, and its effects layer by layer',
      render: ({ record }) =>
        record.grids.flatMap((grid) => [
          { file: `${grid.grid}.svg`, content: drawHeatMap(record, grid, { numbers: false }) },
          { file: `${grid.grid}-effects.svg`, content: drawEffects(record, grid) },
        ]),
    },
  ],
};
