import { defineCommand, flag, required, value } from '../command.js';
import { bytes, integer, layers, names, oneOf, path, text } from '../parse.js';
import { bosOption, jsonOption, modelOption, runtimeOption, threadsOption } from './options.js';

export const patch = defineCommand({
  name: 'patch',
  summary: 'replace activations one at a time by those of the other prompt, and draw what each is worth',
  options: {
    task: required('--task <task>', 'a shipped task (see `thevenin tasks`) or a task file', text),
    model: modelOption,
    grid: required(
      '--grid <key>',
      'resid-pre, resid-mid, resid-post, attention-out, mlp-out, z, q, k, v, pattern, or every',
      text,
    ),
    out: required('--out <folder>', 'where the result is written', path),
    direction: value(
      '--direction <way>',
      'denoising: clean values into the corrupt run; noising: corrupt values into the clean run',
      oneOf('denoising', 'noising'),
      'denoising',
    ),
    by: value(
      '--by <places>',
      'all positions at once, each position, or each span (default: position for layers, all for heads)',
      oneOf('all', 'position', 'span'),
    ),
    spans: value('--spans <list>', 'with --by span: which, e.g. S1,S2,end (default: every span of the task)', names),
    layers: value('--layers <list>', 'only these layers, e.g. 0,5,9 (default: all)', layers),
    examples: value('--examples <n>', 'use the first n pairs of the task only', integer({ least: 1 })),
    numbers: flag('--numbers', 'write the values into the cells of the pictures'),
    seed: value('--seed <n>', 'of generated pairs', integer({ least: 0 }), 0),
    bos: bosOption,
    runtime: runtimeOption,
    threads: threadsOption,
    memory: value(
      '--memory <amount>',
      'ceiling of the memory used, e.g. 4GiB (default: a share of the machine’s)',
      bytes,
    ),
    json: jsonOption,
  },
  run: async ({ signal, onProgress, print }, { json, ...request }) => {
    const { patch: work } = await import('../../run/patch.js');
    const { record, written } = await work(request, { signal, onProgress });
    if (json) return print(JSON.stringify(record));
    const { describePatching } = await import('../views/patching.js');
    print(describePatching(record, written));
  },
});
