/**
 * Subject-verb agreement: "The teachers near the desk" → " are", not " is". The corrupt prompt's subject has the other
 * number. Finlayson et al. 2021, arXiv 2106.06087; words of the data of Marks et al. 2024, arXiv 2403.19647.
 */
import { Type } from '@sinclair/typebox';
import type { Tokenizer } from '../../model/types.js';
import type { DroppedSource, TaskPair } from '../schema.js';
import { oneToken } from '../words.js';
import { collectPairs, defineGenerator, needTokenizer, needWords } from './generator.js';
import { fill, sameShape, spansOf } from './prompt.js';

/** singular, plural */
type Numbers = readonly [string, string];

const regular = (words: string): Numbers[] => words.split(' ').map((word): Numbers => [word, `${word}s`]);

const SUBJECTS: readonly Numbers[] = [
  ...regular(
    'athlete aunt boy carpenter doctor farmer father friend girl guy kid lawyer mother poet singer teacher uncle victim',
  ),
  ['man', 'men'],
  ['woman', 'women'],
];
const OTHERS = regular('bike car cat chair desk dog table tree truck window');
const VERBS: readonly Numbers[] = [
  ['is', 'are'],
  ['has', 'have'],
  ['does', 'do'],
  ['goes', 'go'],
];
const PREPOSITIONS = ['behind', 'beside', 'near'];

const STRUCTURES: Readonly<Record<string, string>> = {
  simple: 'The [subject]',
  nounpp: 'The [subject] [preposition] the [other]',
};

const Options = Type.Object({
  structures: Type.Optional(
    Type.Array(Type.Unsafe<string>({ type: 'string', enum: Object.keys(STRUCTURES) }), {
      minItems: 1,
      uniqueItems: true,
    }),
  ),
});

export const subjectVerbAgreement = defineGenerator({
  key: 'subject-verb-agreement',
  title: 'Subject-verb agreement, also across a noun of another number',
  reference: 'Finlayson et al. 2021, arXiv 2106.06087; words of feature-circuits (Marks et al. 2024, arXiv 2403.19647)',
  licence: 'MIT (feature-circuits)',
  metric: 'logit-difference',
  options: Options,
  make: (context, options, random) => {
    const key = 'subject-verb-agreement';
    const tokenizer = needTokenizer(key, context);
    const subjects = oneTokenPairs(SUBJECTS, tokenizer);
    const others = oneTokenPairs(OTHERS, tokenizer);
    const verbs = oneTokenPairs(VERBS, tokenizer);
    const prepositions = PREPOSITIONS.filter((word) => oneToken(` ${word}`, tokenizer) !== null);
    const structures = options.structures ?? Object.keys(STRUCTURES);
    for (const [what, words] of Object.entries({ subjects: subjects.kept, verbs: verbs.kept }))
      needWords(key, what, words, 1);
    if (structures.includes('nounpp'))
      needWords(key, 'nouns after a preposition', prepositions.length > 0 ? others.kept : [], 1);

    const draw = (): TaskPair | null => {
      const structure = random.pick(structures);
      const number = random.between(0, 1) as 0 | 1;
      const otherNumber = random.between(0, 1) as 0 | 1;
      const [subject, verb] = [random.pick(subjects.kept), random.pick(verbs.kept)];
      const around =
        structure === 'simple'
          ? { preposition: '', other: '' }
          : { preposition: random.pick(prepositions), other: random.pick(others.kept)[otherNumber] };
      const prompt = (of: 0 | 1) => fill(STRUCTURES[structure] as string, { ...around, subject: subject[of] });
      const [clean, corrupt] = [prompt(number), prompt(number === 0 ? 1 : 0)];
      const spans = spansOf(clean, tokenizer);
      if (!sameShape(spans, spansOf(corrupt, tokenizer))) return null;
      return {
        clean: clean.text,
        corrupt: corrupt.text,
        correct: ` ${verb[number]}`,
        incorrect: ` ${verb[number === 0 ? 1 : 0]}`,
        spans,
        group: groupOf(structure, number, otherNumber),
      };
    };
    return {
      pairs: collectPairs(key, context.count, draw),
      dropped: [...subjects.dropped, ...others.dropped, ...verbs.dropped],
    };
  },
});

const NUMBER_NAMES = ['singular', 'plural'] as const;

const groupOf = (structure: string, subject: 0 | 1, other: 0 | 1): string =>
  structure === 'simple'
    ? `simple ${NUMBER_NAMES[subject]}`
    : `${structure} ${NUMBER_NAMES[subject]} ${NUMBER_NAMES[other]}`;

/** Keeps the words whose singular and plural are one token each. */
const oneTokenPairs = (
  words: readonly Numbers[],
  tokenizer: Tokenizer,
): { kept: Numbers[]; dropped: DroppedSource[] } => {
  const kept = words.filter((pair) => pair.every((word) => oneToken(` ${word}`, tokenizer) !== null));
  const items = words.filter((pair) => !kept.includes(pair)).map((pair) => pair.join('/'));
  const reason = 'words whose singular or plural is not one token for this model';
  return { kept, dropped: items.length === 0 ? [] : [{ reason, count: items.length, items }] };
};
