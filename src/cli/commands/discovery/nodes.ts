import { defineCommand, required, value } from '../../command.js';
import { integer, keys, layers, names, oneOf, path, text } from '../../parse.js';
import { examplesOption, lastOptions, modelOption, overwriteOption } from '../../options.js';

const OPTIONS = {
  task: required('--task <task>', 'a shipped task (see `thevenin tasks`) or a task file', text),
  model: modelOption,
  site: value(
    '--site <list>',
    'z, q, k, v, attention-out, mlp-out, neurons (of --layers), resid-pre, resid-mid, resid-post; several separated by commas',
    keys,
    ['z'],
  ),
  method: value(
    '--method <key>',
    'ap (gradient at the clean prompts), ap-ig (along the embeddings), ig (along each site’s own value)',
    text,
    'ap',
  ),
  layers: value('--layers <list>', 'only these layers, e.g. 0,5,9 (default: all)', layers),
  by: value(
    '--by <places>',
    'summed over all positions, for each position, or for each span',
    oneOf('all', 'position', 'span'),
    'all',
  ),
  spans: value('--spans <list>', 'with --by span: which, e.g. S1,S2,end (default: every span of the task)', names),
  top: value('--top <n>', 'of each site, measure the n strongest exactly', integer({ least: 1 }), 20),
  sample: value('--sample <n>', 'and n of the others, drawn at random', integer({ least: 0 }), 20),
  examples: examplesOption,
  out: value('--out <folder>', 'write a page, a text, pictures, a record and the values of every pair', path),
  overwrite: overwriteOption,
  seed: value('--seed <n>', 'of generated pairs and of the sample', integer({ least: 0 }), 0),
  ...lastOptions,
};

export const nodes = defineCommand({
  name: 'nodes',
  summary: 'estimate from gradients what every head, neuron or layer is worth, beside exact effects of the strongest',
  options: OPTIONS,
  declared: async () => {
    const { NODE_METHODS } = await import('../../../attribution/nodes/index.js');
    const { methodFlags } = await import('../../method-options.js');
    return methodFlags(NODE_METHODS, OPTIONS);
  },
  run: async ({ signal, onProgress, print }, { json, ...request }) => {
    const { nodes: work } = await import('../../../jobs/attribution/nodes.js');
    const { record, written } = await work(request, { signal, onProgress });
    if (json) return print(JSON.stringify(record));
    const { describeNodes } = await import('../../views/nodes.js');
    print(describeNodes(record, written));
  },
});
