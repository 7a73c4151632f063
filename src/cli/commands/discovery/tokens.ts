import { defineCommand, required, value } from '../../command.js';
import { integer, names, oneOf, path, text } from '../../parse.js';
import { examplesOption, lastOptions, modelOption, overwriteOption } from '../../options.js';

const OPTIONS = {
  task: required('--task <task>', 'a shipped task (see `thevenin tasks`) or a task file', text),
  model: modelOption,
  method: value(
    '--method <key>',
    'ig, grad-x-input, lrp, loo (one token left out), occlusion (one span left out), shap (Shapley values of spans)',
    text,
    'ig',
  ),
  baseline: value(
    '--baseline <what>',
    'what takes the place of a token: the corrupt prompt’s token, or an embedding of zero',
    oneOf('corrupt', 'zero'),
    'corrupt',
  ),
  spans: value('--spans <list>', 'which spans, e.g. S1,S2,end (default: those that every prompt has)', names),
  examples: examplesOption,
  out: value('--out <folder>', 'write a page, a record and the values of every pair', path),
  overwrite: overwriteOption,
  seed: value('--seed <n>', 'of generated pairs and of coalitions', integer({ least: 0 }), 0),
  ...lastOptions,
};

export const tokens = defineCommand({
  name: 'tokens',
  summary: 'what the tokens and spans of the prompts contribute to the task’s metric',
  options: OPTIONS,
  declared: async () => {
    const { TOKEN_METHODS } = await import('../../../attribution/tokens/index.js');
    const { methodFlags } = await import('../../method-options.js');
    return methodFlags(TOKEN_METHODS, OPTIONS);
  },
  run: async ({ signal, onProgress, print }, { json, ...request }) => {
    const { tokens: work } = await import('../../../jobs/attribution/tokens.js');
    const { record, written } = await work(request, { signal, onProgress });
    if (json) return print(JSON.stringify(record));
    const { describeTokens } = await import('../../views/tokens.js');
    print(describeTokens(record, written));
  },
});
