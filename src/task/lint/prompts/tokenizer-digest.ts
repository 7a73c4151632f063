import { finding } from '../../finding.js';
import type { LintRule } from '../rule.js';

export const tokenizerDigest: LintRule = {
  key: 'tokenizer-digest',
  title: 'token ids belong to the tokenizer at hand',
  check: ({ file, context }) => {
    const [wanted, actual] = [file.model?.tokenizer, context.tokenizer?.digest];
    if (wanted === undefined || actual === undefined || wanted === actual) return [];
    const what = `its token ids were made with another tokenizer (${wanted.slice(0, 12)}…, ${file.model?.name ?? 'unnamed'}) than ${context.config.name}'s (${actual.slice(0, 12)}…)`;
    return [
      finding('error', 'tokenizer-digest', { file: context.path }, `${what}: import the task again for this model`),
    ];
  },
};
