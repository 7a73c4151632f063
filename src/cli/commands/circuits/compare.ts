import { defineCommand } from '../../command.js';
import { jsonOption } from '../../options.js';

const WHAT = 'the folder of a run, a reference circuit such as ioi-gpt2-small, or a circuit.json';

export const compare = defineCommand({
  name: 'compare',
  summary: 'how alike two circuits are, in edges and in nodes, and how well the scores of one find the other',
  arguments: [
    { name: '<a>', description: WHAT },
    { name: '<b>', description: 'another' },
  ],
  options: { json: jsonOption },
  run: async ({ print }, { json }, a = '', b = '') => {
    const { compare: work } = await import('../../../jobs/circuits/compare.js');
    const comparison = await work(a, b);
    if (json) return print(JSON.stringify(comparison));
    const { describeComparison } = await import('../../views/circuits.js');
    print(describeComparison(comparison));
  },
});
