import { defineCommand, required, value } from '../../command.js';
import { integer, number, path, text } from '../../parse.js';
import { lastOptions, modelOption, overwriteOption } from '../../options.js';

export const causalTrace = defineCommand({
  name: 'causal-trace',
  summary: 'where a model recalls facts: noise on the subject, clean states restored one by one',
  options: {
    facts: required('--facts <file>', 'prompts with subject and attribute, e.g. ROME’s known_1000.json', text),
    model: modelOption,
    out: required('--out <folder>', 'where the result is written', path),
    overwrite: overwriteOption,
    examples: value(
      '--examples <n>',
      'trace the first n facts that the model knows; 0: only count them',
      integer({ least: 0 }),
    ),
    factor: value('--factor <n>', 'standard deviation of the noise, in those of the subjects’ embeddings', number, 3),
    samples: value('--samples <n>', 'draws of the noise', integer({ least: 1 }), 10),
    window: value('--window <n>', 'layers of attention or MLP outputs restored together', integer({ least: 1 }), 10),
    seed: value('--seed <n>', 'of the noise', integer({ least: 0 }), 1),
    ...lastOptions,
  },
  run: async ({ signal, onProgress, print }, { json, ...request }) => {
    const { causalTrace: work } = await import('../../../jobs/interventions/causal-trace.js');
    const { record, written } = await work(request, { signal, onProgress });
    if (json) return print(JSON.stringify(record));
    const { describeTracing } = await import('../../views/tracing.js');
    print(describeTracing(record, written));
  },
});
