import type { PreparedAnswer, PreparedPair } from '../prepare.js';
import type { Range } from '../spans.js';
import { pairRule, type Remark } from './rule.js';

/** Names that the literature gives a meaning (Wang et al. 2022): which answer stands there. */
const ROLES: Readonly<Record<string, 'correct' | 'incorrect'>> = {
  IO: 'correct',
  S: 'incorrect',
  S1: 'incorrect',
  S2: 'incorrect',
};

export const spanNames = pairRule(
  'span-names',
  'spans with an established name (IO, S1, S2, end) are not off by one',
  (pair) =>
    [...pair.spans].flatMap(([name, span]) => {
      if (!('range' in span)) return [];
      const holds = name === 'end' ? endOf(pair) : answerAt(pair, ROLES[name]);
      const shift = holds === null || holds(span.range, 0) ? undefined : [-1, 1].find((by) => holds(span.range, by));
      return shift === undefined ? [] : [offByOne(name, span.range, shift)];
    }),
);

/** Whether a span, moved by so many positions, is where its name says. */
type Holds = (range: Range, by: number) => boolean;

const endOf =
  ({ clean }: PreparedPair): Holds =>
  ([, afterLast], by) =>
    afterLast + by === clean.tokens.length;

const answerAt = ({ clean, answers }: PreparedPair, role: 'correct' | 'incorrect' | undefined): Holds | null => {
  if (role === undefined) return null;
  const ids = new Set(
    answers.flatMap((answer: PreparedAnswer) => (answer[role] ?? []).flatMap((option) => option.ids)),
  );
  return ([first, afterLast], by) =>
    clean.tokens.slice(Math.max(0, first + by), afterLast + by).some((id) => ids.has(id));
};

const offByOne = (name: string, [first, afterLast]: Range, shift: number): Remark => {
  const what = name === 'end' ? 'the last token' : `the ${ROLES[name]} answer`;
  return {
    position: first,
    what: `span "${name}" is off by one: ${what} stands at [${first + shift}, ${afterLast + shift}) (as the prompt is run)`,
  };
};
