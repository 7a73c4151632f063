import { refuse } from '../../../errors.js';
import { defineCommand, value } from '../../command.js';
import { integer, tokenIds } from '../../parse.js';
import { bosOption, jsonOption, modelOption, runtimeOption, threadsOption } from '../../options.js';

export const predict = defineCommand({
  name: 'predict',
  summary: 'the most probable next tokens after a text or token ids',
  arguments: [{ name: '[text]', description: 'the prompt as it is, leading space included' }],
  options: {
    model: modelOption,
    ids: value('--ids <list>', 'token ids instead of a text, taken as they are, e.g. 1,2,3', tokenIds),
    top: value('--top <n>', 'how many tokens, up to the whole vocabulary', integer({ least: 1 }), 10),
    bos: bosOption,
    runtime: runtimeOption,
    threads: threadsOption,
    json: jsonOption,
  },
  run: async ({ signal, print }, { json, ids, ...options }, text) => {
    const prompt =
      ids ?? text ?? refuse('cli/usage', 'predict needs a text or --ids, e.g. thevenin predict "Once upon" --model M');
    if (ids !== undefined && text !== undefined) refuse('cli/usage', 'predict takes a text or --ids, not both');
    const { predict: work } = await import('../../../jobs/inspect/predict.js');
    const prediction = await work({ prompt, ...options }, { signal });
    if (json) return print(JSON.stringify(prediction));
    const { predictionTable } = await import('../../views/prediction.js');
    print(predictionTable(prediction));
  },
});
