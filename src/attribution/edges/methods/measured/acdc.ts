import { measureWith } from '../../acdc/measure.js';
import { search } from '../../acdc/search.js';
import type { AcdcOrder } from '../../acdc/order.js';
import { choiceOption, numberOption, wordOption } from '../../../options.js';
import { noising } from '../../collect.js';
import { heldMetric, heldOption, holdingOn } from '../../held.js';
import { withSessions } from '../../sessions.js';
import { edgeMethod } from '../../types.js';

/**
 * Automatic circuit discovery: edges cut one after the other, from the logits down, while the metric holds. It finds a circuit, not
 * a ranking; the score of an edge is what cutting it cost at the moment it was tried.
 */
export const acdc = edgeMethod({
  key: 'acdc',
  reference: 'Conmy et al. 2023, arXiv:2304.14997',
  options: {
    tau: numberOption('an edge stays cut if the metric falls by less', { standard: 0.01, code: 'discovery/search' }),
    order: wordOption<AcdcOrder>('in which edges are tried', {
      standard: 'reverse',
      pattern: '^(reverse|normal|random:\\d+)$',
      expected: 'reverse, normal or random:<seed>',
    }),
    test: choiceOption('change by which edges are kept: signed also cuts what hurts', {
      choices: ['signed', 'absolute'],
      standard: 'signed',
    }),
    holds: heldOption,
  },
  direction: 'noising',
  joint: true,
  title: ({ tau, order, test, holds }) => `ACDC τ ${tau} of ${holds === 'kl' ? 'KL' : 'the metric'}, ${order}, ${test}`,
  cost: (_, { edges }) => ({ forwards: 2 + edges, backwards: 0 }),
  adapt: holdingOn,
  run: async (context) => {
    const { engine, examples, signal, options: rule, onProgress } = context;
    const asked = { ...noising(context), metric: heldMetric(context.metric, rule.holds) };
    return withSessions(engine, examples, asked, async (forEach, plan) => {
      const meter = measureWith(forEach, { examples: examples.length, signal });
      const outcome = await search(engine.universe, rule, { ...meter, onProgress });
      const { effects: mean, keep, tried, circuits, passes } = outcome;
      const scores = { method: 'acdc', mean, perExample: null, exampleCount: examples.length };
      return { scores, plan, found: { edges: keep, by: rule.test, search: { tried, circuits, passes } } };
    });
  },
});
