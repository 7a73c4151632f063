import { defineCommand, value } from '../../command.js';
import { jsonOption, overwriteOption } from '../../options.js';
import { path } from '../../parse.js';

export const render = defineCommand({
  name: 'render',
  summary: 'draw a run again from its record and data files alone: every page, picture and table',
  arguments: [{ name: '<run>', description: 'the folder of a run, or its record (report.json, patching.json …)' }],
  options: {
    out: value('--out <folder>', 'where it is drawn (default: the folder of the run)', path),
    overwrite: overwriteOption,
    json: jsonOption,
  },
  run: async ({ print }, { out, overwrite, json }, run = '') => {
    const { render: work } = await import('../../../jobs/records/render.js');
    const rendering = await work(run, { out, overwrite });
    if (json) return print(JSON.stringify(rendering));
    for (const { path, asBefore } of rendering.files) print(`${path}${asBefore ? ' (as it was)' : ''}`);
  },
});
