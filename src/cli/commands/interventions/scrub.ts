import { defineCommand, required, value } from '../../command.js';
import { integer, oneOf, path, text } from '../../parse.js';
import { examplesOption, lastOptions, modelOption, overwriteOption } from '../../options.js';

export const scrub = defineCommand({
  name: 'scrub',
  summary: 'causal scrubbing: how much of what a model does a hypothesis explains, claim by claim',
  options: {
    task: required('--task <task>', 'a shipped task (see `thevenin tasks`) or a task file', text),
    model: modelOption,
    hypothesis: required(
      '--hypothesis <file>',
      'a hypothesis file, or a shipped one by its name, e.g. induction',
      text,
    ),
    draws: value('--draws <n>', 'how often every prompt is scrubbed', integer({ least: 1 }), 10),
    unimportant: value(
      '--unimportant <how>',
      'inputs of a node that do not matter: shared (all from one random prompt) or separate (each from its own)',
      oneOf('shared', 'separate'),
      'shared',
    ),
    examples: examplesOption,
    out: value('--out <folder>', 'write a page, a picture, a record and the values of every prompt', path),
    overwrite: overwriteOption,
    seed: value('--seed <n>', 'of generated pairs and of draws', integer({ least: 0 }), 0),
    ...lastOptions,
  },
  run: async ({ signal, onProgress, print }, { json, ...request }) => {
    const { scrub: work } = await import('../../../jobs/interventions/scrub.js');
    const { record, written } = await work(request, { signal, onProgress });
    if (json) return print(JSON.stringify(record));
    const { describeScrubbing } = await import('../../views/scrubbing.js');
    print(describeScrubbing(record, written));
  },
});
