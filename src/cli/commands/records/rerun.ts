import { refuse } from '../../../errors.js';
import { defineCommand, value } from '../../command.js';
import { jsonOption, overwriteOption } from '../../options.js';
import { path, positive, text } from '../../parse.js';

export const rerun = defineCommand({
  name: 'rerun',
  summary: 'run again what a record says was asked, and say what differs; exit code 0 when nothing does',
  arguments: [{ name: '<run>', description: 'the folder of a run, or its record (report.json, patching.json …)' }],
  options: {
    out: value('--out <folder>', 'where the second run is written (default: nowhere)', path),
    overwrite: overwriteOption,
    model: value('--model <model>', 'where the model is now (default: as the record names it)', text),
    task: value('--task <task>', 'where the task or the facts are now (default: as the record names them)', text),
    runtime: value('--runtime <key>', 'another runtime than the record names', text),
    tolerance: value(
      '--tolerance <share>',
      'how far numbers may be apart, of the largest of their kind',
      positive,
      1e-4,
    ),
    json: jsonOption,
  },
  run: async ({ signal, onProgress, print }, { json, ...asked }, run = '') => {
    const { rerun: work } = await import('../../../jobs/records/rerun.js');
    const result = await work(run, asked, { signal, onProgress });
    const { describeRerun } = await import('../../views/rerun.js');
    print(json ? JSON.stringify(result) : describeRerun(result));
    const { length } = result.differences;
    if (length > 0) refuse('report/differs', `${run}: ${length} ${length === 1 ? 'figure differs' : 'figures differ'} from the record`); // prettier-ignore
  },
});
