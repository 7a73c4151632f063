import { SOURCE_KINDS } from '../../../engine/sources/kinds.js';
import { defineCommand, flag, required, value } from '../../command.js';
import { examplesOption, lastOptions, modelOption, overwriteOption } from '../../options.js';
import { integer, oneOf, path, text } from '../../parse.js';

export const evaluate = defineCommand({
  name: 'evaluate',
  summary: 'judge a circuit, wherever it comes from, by every criterion on held-out pairs of a task',
  arguments: [
    {
      name: '<circuit>',
      description: 'the folder of a run, a reference circuit such as ioi-gpt2-small, or a circuit.json',
    },
  ],
  options: {
    task: required('--task <task>', 'a shipped task (see `thevenin tasks`) or a task file', text),
    model: modelOption,
    out: value('--out <folder>', 'write a record, a page and the same as text', path),
    overwrite: overwriteOption,
    source: value(
      '--source <kind>',
      `what edges outside the circuit read: ${SOURCE_KINDS.join(', ')}`,
      oneOf(...SOURCE_KINDS),
      'other-prompt',
    ),
    randomCircuits: value('--random-circuits <n>', 'of its size, to compare it with', integer({ least: 0 }), 20),
    examples: examplesOption,
    seed: value(
      '--seed <n>',
      'of splits and random circuits (default: as in the run that found the circuit, else 0)',
      integer({ least: 0 }),
    ),
    split: flag('--no-split', 'evaluate on every pair'),
    force: flag('--force', 'go on although the model does not do the task'),
    ...lastOptions,
  },
  run: async ({ signal, onProgress, print }, { json, ...request }, circuit = '') => {
    const { evaluate: work } = await import('../../../jobs/circuits/evaluate.js');
    const { record, written } = await work({ circuit, ...request }, { signal, onProgress });
    if (json) return print(JSON.stringify(record));
    const { describeEvaluation } = await import('../../views/circuits.js');
    print(describeEvaluation(record, written));
  },
});
