import { defineCommand, flag, required, value } from '../../command.js';
import { integer, layers, names, oneOf, path, text } from '../../parse.js';
import { examplesOption, lastOptions, modelOption, overwriteOption } from '../../options.js';

export const patch = defineCommand({
  name: 'patch',
  summary:
    'replace activations by those of the other prompt, one at a time or along paths, and draw what each is worth',
  options: {
    task: required('--task <task>', 'a shipped task (see `thevenin tasks`) or a task file', text),
    model: modelOption,
    grid: value(
      '--grid <key>',
      'resid-pre, resid-mid, resid-post, attention-out, mlp-out, neurons (of --layers), z, q, k, v, pattern, pattern-entries, or every',
      text,
    ),
    path: value(
      '--path <address>',
      'instead of a grid: only what travels along a path, e.g. "a*.* -> a9.*<q>" or "a0.h1 -> a5.h5<k> -> logits"',
      text,
    ),
    out: required('--out <folder>', 'where the result is written', path),
    overwrite: overwriteOption,
    knockout: value(
      '--knockout <addresses>',
      'instead of a grid: queries do not look at keys, e.g. "a5.*.pattern@end<-S2"; several separated by commas',
      text,
    ),
    direction: value(
      '--direction <way>',
      'denoising: clean values into the corrupt run (default of grids); noising: corrupt values into the clean run',
      oneOf('denoising', 'noising'),
    ),
    by: value(
      '--by <places>',
      'all positions at once, each position, or each span (default: position for layers, or the shared spans where lengths differ; all for heads)',
      oneOf('all', 'position', 'span'),
    ),
    spans: value('--spans <list>', 'with --by span: which, e.g. S1,S2,end (default: every span of the task)', names),
    layers: value('--layers <list>', 'only these layers of a grid or a knock-out, e.g. 0,5,9 (default: all)', layers),
    mlps: value(
      '--mlps <how>',
      'with --path: MLPs on the way are kept (direct paths alone) or recomputed (as in the IOI paper)',
      oneOf('kept', 'recomputed'),
      'kept',
    ),
    senders: value(
      '--senders <how>',
      'with --path: the senders of a pattern each by itself or together',
      oneOf('each', 'together'),
      'each',
    ),
    receivers: value('--receivers <how>', 'with --path: likewise its receivers', oneOf('each', 'together'), 'together'),
    each: value(
      '--each <unit>',
      'with --knockout: everything named at once, one layer at a time, or one head at a time',
      oneOf('all', 'layer', 'head'),
      'all',
    ),
    window: value('--window <n>', 'with --each layer: so many layers around each together', integer({ least: 1 }), 1),
    examples: examplesOption,
    numbers: flag('--numbers', 'write the values into the cells of the pictures'),
    flip: flag('--flip', 'layer 0 at the top of the pictures (default: at the bottom)'),
    seed: value('--seed <n>', 'of generated pairs', integer({ least: 0 }), 0),
    ...lastOptions,
  },
  run: async ({ signal, onProgress, print }, { json, ...request }) => {
    const { patch: work } = await import('../../../jobs/interventions/patch.js');
    const { record, written } = await work(request, { signal, onProgress });
    if (json) return print(JSON.stringify(record));
    const { describePatching } = await import('../../views/patching.js');
    print(describePatching(record, written));
  },
});
