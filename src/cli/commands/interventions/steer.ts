import { defineCommand, flag, required, value } from '../../command.js';
import { integer, number, numbers, oneOf, path, text } from '../../parse.js';
import { examplesOption, lastOptions, modelOption, overwriteOption } from '../../options.js';

export const steer = defineCommand({
  name: 'steer',
  summary:
    'add a vector at a site, dose by dose: what it does to the metric, to log-probabilities and to what is written on',
  options: {
    task: required('--task <task>', 'a shipped task (see `thevenin tasks`) or a task file', text),
    model: modelOption,
    site: required(
      '--site <address>',
      'where: resid6.pre, resid6.mid, resid6.post, a6.out, m6, or a head’s output a6.h1',
      text,
    ),
    plus: value('--plus <text>', 'steer towards this prompt …', text),
    minus: value('--minus <text>', '… and away from this one (activation addition)', text),
    plusSet: value('--plus-set <file>', 'or towards the mean of these prompts, one on each line …', path),
    minusSet: value(
      '--minus-set <file>',
      '… and away from these (default: towards the clean prompts of the task’s discover split, away from the corrupt ones)',
      path,
    ),
    pad: value('--pad <text>', 'a text of one token that fills up the shorter of --plus and --minus', text, ' '),
    read: value(
      '--read <where>',
      'of the prompts: each token, their mean, or a span such as end or S2 (default: each of a pair, else end)',
      text,
    ),
    at: value(
      '--at <where>',
      'added at: front (row by row), all, after (from the prompt’s last token on), each (one at a time), or a span (default: front for rows, else after)',
      text,
    ),
    coefficients: value('--coefficients <list>', 'e.g. -4,-2,0,2,4', numbers, [-2, -1, -0.5, 0, 0.5, 1, 2]),
    side: value('--side <prompts>', 'which prompts are steered: clean or corrupt', oneOf('clean', 'corrupt'), 'clean'),
    out: value('--out <folder>', 'write a page, pictures, a record, the vector and the values of every pair', path),
    overwrite: overwriteOption,
    prompts: value('--prompts <n>', 'how many prompts are continued', integer({ least: 1 }), 3),
    prompt: value('--prompt <text>', 'continue this instead of the task’s prompts', text),
    continueAt: value('--continue-at <list>', 'with which coefficients (default: the least and the greatest)', numbers),
    samples: value(
      '--samples <n>',
      'continuations of each prompt; 0: none (default: 1 where the model can write on)',
      integer({ least: 0 }),
    ),
    tokens: value('--tokens <n>', 'tokens written (default: 20, or as many as the model reads)', integer({ least: 1 })),
    temperature: value('--temperature <t>', 'of sampling', number, 1),
    topK: value('--top-k <n>', 'sample from the n most probable tokens', integer({ least: 1 })),
    topP: value('--top-p <share>', 'sample from the most probable tokens that have this share together', number),
    examples: examplesOption,
    split: flag('--no-split', 'let the task’s own prompts make the vector and be steered, too'),
    seed: value('--seed <n>', 'of generated pairs, of splits and of sampling', integer({ least: 0 }), 0),
    ...lastOptions,
  },
  run: async ({ signal, onProgress, print }, { json, ...request }) => {
    const { steer: work } = await import('../../../jobs/interventions/steer.js');
    const { record, written } = await work(request, { signal, onProgress });
    if (json) return print(JSON.stringify(record));
    const { describeSteering } = await import('../../views/steering.js');
    print(describeSteering(record, written));
  },
});
