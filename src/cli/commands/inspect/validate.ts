import { defineCommand, flag, value } from '../../command.js';
import { integer } from '../../parse.js';
import { bosOption, jsonOption, modelOption } from '../../options.js';

export const validate = defineCommand({
  name: 'validate',
  summary: 'check a task for a model, before any compute: lengths, answers, spans, duplicates, splits',
  arguments: [{ name: '<task>', description: 'a task file or a shipped task' }],
  options: {
    model: modelOption,
    examples: value('--examples <n>', 'the first n pairs only', integer({ least: 1 })),
    seed: value('--seed <n>', 'of the splits', integer({ least: 0 }), 0),
    bos: bosOption,
    split: flag('--no-split', 'do not split the pairs'),
    json: jsonOption,
  },
  run: async ({ print }, { json, ...options }, task) => {
    const { validate: work } = await import('../../../jobs/inspect/validate.js');
    const { checkLines, describeCheck } = await import('../../views/tasks.js');
    const { requireClean } = await import('../../../task/finding.js');
    const { resolved, check } = await work({ task: task!, ...options });
    const validation = describeCheck(resolved, check, options.model);
    print(json ? JSON.stringify(validation) : checkLines(validation, check));
    requireClean(check.findings);
  },
});
