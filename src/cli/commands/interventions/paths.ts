import { defineCommand, required, value } from '../../command.js';
import { integer, oneOf, path, text } from '../../parse.js';
import { examplesOption, lastOptions, modelOption, overwriteOption } from '../../options.js';

export const paths = defineCommand({
  name: 'paths',
  aliases: ['trace'],
  summary: 'the strongest paths into a receiver, searched hop by hop by path patching',
  options: {
    task: required('--task <task>', 'a shipped task (see `thevenin tasks`) or a task file', text),
    model: modelOption,
    to: value('--to <address>', 'the receivers that paths lead to, e.g. logits, m3, a9.*<q>', text, 'logits'),
    depth: value('--depth <n>', 'hops of the longest paths', integer({ least: 1 }), 2),
    width: value('--width <n>', 'how many senders are followed at every stop', integer({ least: 1 }), 3),
    mlps: value(
      '--mlps <how>',
      'MLPs on the way are kept (direct paths alone) or recomputed (as in the IOI paper)',
      oneOf('kept', 'recomputed'),
      'kept',
    ),
    direction: value(
      '--direction <way>',
      'noising: corrupt values into the clean run; denoising: clean values into the corrupt run',
      oneOf('noising', 'denoising'),
      'noising',
    ),
    out: value('--out <folder>', 'where the record is written (default: nowhere)', path),
    overwrite: overwriteOption,
    examples: examplesOption,
    seed: value('--seed <n>', 'of generated pairs', integer({ least: 0 }), 0),
    ...lastOptions,
  },
  run: async ({ signal, onProgress, print }, { json, ...request }) => {
    const { trace: work } = await import('../../../jobs/interventions/trace.js');
    const { record, written } = await work(request, { signal, onProgress });
    if (json) return print(JSON.stringify(record));
    const { describeHops } = await import('../../views/hops.js');
    print(describeHops(record, written));
  },
});
