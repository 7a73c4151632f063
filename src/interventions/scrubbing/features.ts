/** What of a prompt a node is claimed to depend on: prompts that agree in it may stand in for each other. */
import { parseAddress, type Span } from '../../circuit/address.js';
import { refuse } from '../../errors.js';
import type { Example } from '../../task/types.js';
import { positionsOf } from '../../text/where.js';
import type { FeatureSource } from './schema.js';

export interface Feature {
  /** e.g. `tokens at S2` */
  readonly title: string;
  /** spans that it speaks of */
  readonly spans: readonly Span[];
  /** prompts with the same value agree */
  value(example: Example): string;
}

interface Sources {
  readonly tokens: string;
  readonly equal: readonly [string, string];
  readonly label: keyof typeof LABELS;
}

const spanOf = (text: string): Span => parseAddress(`input@${text}`).at!;

const tokensAt = (span: Span, example: Example): string =>
  positionsOf(span, example)
    .map((position) => example.clean[position])
    .join(' ');

const answers =
  (side: 'correct' | 'incorrect') =>
  (example: Example): string =>
    JSON.stringify(example.answers.map((answer) => answer[side].ids));

const LABELS = {
  group: ({ group, index }: Example): string =>
    group ?? refuse('interventions/feature', `a node depends on the group, which pair ${index} does not have`),
  correct: answers('correct'),
  incorrect: answers('incorrect'),
} as const;

/** A new kind of feature is a line here, one above and one in the schema. */
const KINDS: { readonly [Key in keyof Sources]: (source: Sources[Key]) => Feature } = {
  tokens: (where) => {
    const span = spanOf(where);
    return { title: `tokens at ${where}`, spans: [span], value: (example) => tokensAt(span, example) };
  },
  equal: (wheres) => {
    const [a, b] = wheres.map(spanOf) as [Span, Span];
    return {
      title: `whether ${wheres.join(' = ')}`,
      spans: [a, b],
      value: (example) => `${tokensAt(a, example) === tokensAt(b, example)}`,
    };
  },
  label: (field) => ({ title: field, spans: [], value: LABELS[field] }),
};

const PROMPT: Feature = { title: 'the whole prompt', spans: [], value: ({ clean }) => clean.join(' ') };

export const isWholePrompt = (feature: Feature): boolean => feature === PROMPT;

/** @throws circuit/address where a span is none */
export function featureOf(source: FeatureSource): Feature {
  if (source === 'prompt') return PROMPT;
  const [[key, value]] = Object.entries(source) as [[keyof Sources, never]]; // one field, by the schema
  return KINDS[key](value);
}

/** For each data point, the data points that agree with it in every feature, itself among them. */
export function agreeing(features: readonly Feature[], examples: readonly Example[]): readonly (readonly number[])[] {
  const classes = new Map<string, number[]>();
  return examples.map((example, i) => {
    const value = JSON.stringify(features.map((feature) => feature.value(example)));
    const own = classes.get(value) ?? [];
    own.push(i);
    classes.set(value, own);
    return own;
  });
}
