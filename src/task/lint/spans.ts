import { pairRule, placed } from './rule.js';

export const spans = pairRule('spans', 'spans lie within the prompt and hold the text they name', (pair) =>
  [...pair.spans].flatMap(([name, span]) =>
    'problem' in span ? [{ ...placed(span.position), what: `span "${name}" ${span.problem}` }] : [],
  ),
);
