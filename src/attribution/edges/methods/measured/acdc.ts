import { refuse } from '../../../../errors.js';
import { measureWith } from '../../acdc/measure.js';
import { search } from '../../acdc/search.js';
import { ACDC_DEFAULTS, type AcdcSetting } from '../../acdc/setting.js';
import { noising } from '../../collect.js';
import { heldMetric } from '../../held.js';
import { withSessions } from '../../sessions.js';
import type { Method, MethodSetting } from '../../types.js';

const ruleOf = ({ acdc }: MethodSetting): AcdcSetting => ({ ...ACDC_DEFAULTS, ...acdc });

/**
 * Automatic circuit discovery: edges cut one after the other, from the logits down, while the metric holds. It finds a circuit, not
 * a ranking; the score of an edge is what cutting it cost at the moment it was tried.
 */
export const acdc: Method = {
  key: 'acdc',
  reference: 'Conmy et al. 2023, arXiv:2304.14997',
  integrates: false,
  direction: 'noising',
  joint: true,
  title: (setting) => {
    const { tau, order, test, holds } = ruleOf(setting);
    return `ACDC τ ${tau} of ${holds === 'kl' ? 'KL' : 'the metric'}, ${order}, ${test}`;
  },
  cost: (_, { edges }) => ({ forwards: 2 + edges, backwards: 0 }),
  check: ({ setting }) => {
    const { tau } = ruleOf(setting);
    if (!Number.isFinite(tau)) refuse('discovery/search', `--tau ${tau} is no threshold; give a number such as 0.01`);
  },
  run: async (context) => {
    const { engine, examples, signal, setting, onProgress } = context;
    const rule = ruleOf(setting);
    const asked = { ...noising(context), metric: heldMetric(context.metric, rule.holds) };
    return withSessions(engine, examples, asked, async (forEach, plan) => {
      const meter = measureWith(forEach, { examples: examples.length, signal });
      const outcome = await search(engine.universe, rule, { ...meter, onProgress });
      const { effects: mean, keep, tried, circuits, passes } = outcome;
      const scores = { method: 'acdc', mean, perExample: null, exampleCount: examples.length };
      return { scores, plan, found: { edges: keep, by: rule.test, search: { tried, circuits, passes } } };
    });
  },
};
