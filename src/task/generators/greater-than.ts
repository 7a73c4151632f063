/**
 * Greater-than: "The war lasted from the year 1732 to the year 17" → a two-digit number above 32.
 * Hanna et al. 2023, arXiv 2305.00586. The corrupt prompt begins in the year 01 of the century, which rules nothing out.
 *
 * Metric: the probability of the numbers above the year minus that of the numbers up to it. Where a model writes "32" as
 * one token that is the paper's. Where it writes digits one by one, the prompt also gives the tens ("… to the year 173")
 * and the units digit is asked for.
 */
import { Type } from '@sinclair/typebox';
import { refuse } from '../../errors.js';
import type { Tokenizer } from '../../model/types.js';
import type { Random } from '../random.js';
import type { TaskPair } from '../schema.js';
import { oneToken, oneTokenWords } from '../words.js';
import { collectPairs, defineGenerator, needTokenizer, needWords } from './generator.js';
import { fill, sameShape, spansOf } from './prompt.js';

/** The nouns of the EAP-IG data set. */
const NOUNS = (
  'attack campaign case contact contract deal development effect employment existence fall growth impact marriage ' +
  'operation order plan practice process program progress project quest riot rise rule shift study test testing trial trip work'
).split(' ');
const CENTURIES = [11, 12, 13, 14, 15, 16, 17];

/** How the end of the period is asked for. */
interface Form {
  readonly template: string;
  /** slots that must be whole tokens */
  readonly needed: readonly string[];
  /** the earliest year: below it the corrupt prompt would rule something out */
  readonly earliest: number;
  /** what of the year is compared: 0 … base - 1 */
  readonly part: (year: number) => number;
  readonly base: number;
  readonly write: (value: number) => string;
}

const TEMPLATE = 'The [noun] lasted from the year [century][YY] to the year [century2]';
const twoDigits = (value: number): string => String(value).padStart(2, '0');

const FORMS: Readonly<Record<string, Form>> = {
  'two-digit': {
    template: TEMPLATE,
    needed: ['century', 'YY', 'century2'],
    earliest: 2,
    part: (year) => year,
    base: 100,
    write: twoDigits,
  },
  units: {
    template: `${TEMPLATE}[tens]`,
    needed: [],
    earliest: 10,
    part: (year) => year % 10,
    base: 10,
    write: String,
  },
};

const Options = Type.Object({
  form: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: Object.keys(FORMS) })),
});

interface Year {
  readonly noun: string;
  readonly century: number;
  /** the two last digits */
  readonly year: number;
}

const write = ({ template }: Form, { noun, century, year }: Year, from: number) =>
  fill(template, {
    noun,
    century: String(century),
    YY: twoDigits(from),
    century2: String(century),
    tens: String(Math.floor(year / 10)),
  });

/** The token of each number, or null when some number is not one token. */
const numberTokens = ({ base, write: written }: Form, tokenizer: Tokenizer): number[] | null => {
  const ids = Array.from({ length: base }, (_, value) => oneToken(written(value), tokenizer)).filter(
    (id) => id !== null,
  );
  return new Set(ids).size === base ? ids : null;
};

const pairOf = (form: Form, numbers: readonly number[], drawn: Year, tokenizer: Tokenizer): TaskPair | null => {
  const [clean, corrupt] = [write(form, drawn, drawn.year), write(form, drawn, 1)];
  const spans = spansOf(clean, tokenizer, form.needed);
  const above = form.part(drawn.year) + 1;
  if (above >= form.base || !sameShape(spans, spansOf(corrupt, tokenizer, form.needed))) return null;
  return {
    clean: clean.text,
    corrupt: corrupt.text,
    correct: numbers.slice(above),
    incorrect: numbers.slice(0, above),
    spans,
    group: `century ${drawn.century}`,
  };
};

export const greaterThan = defineGenerator({
  key: 'greater-than',
  title: 'Greater-than: a period ends after it began',
  reference: 'Hanna et al. 2023, arXiv 2305.00586; nouns of the EAP-IG data set',
  licence: 'MIT (EAP-IG)',
  metric: 'probability-difference',
  options: Options,
  make: (context, options, random) => {
    const tokenizer = needTokenizer('greater-than', context);
    const nouns = oneTokenWords(NOUNS, 'nouns', tokenizer);
    needWords('greater-than', 'nouns', nouns.kept, 1);
    const { form, numbers } = chosenForm(options.form, nouns.kept[0] as string, tokenizer);
    const draw = (): TaskPair | null => pairOf(form, numbers, drawYear(nouns.kept, form.earliest, random), tokenizer);
    return { pairs: collectPairs('greater-than', context.count, draw), dropped: nouns.dropped };
  },
});

const drawYear = (nouns: readonly string[], earliest: number, random: Random): Year => ({
  noun: random.pick(nouns),
  century: random.pick(CENTURIES),
  year: random.between(earliest, 98),
});

interface ChosenForm {
  readonly form: Form;
  readonly numbers: readonly number[];
}

/** The paper's form where the tokenizer allows it, else by digits. */
const chosenForm = (asked: string | undefined, noun: string, tokenizer: Tokenizer): ChosenForm => {
  const names = asked === undefined ? Object.keys(FORMS) : [asked];
  const found = names.flatMap((name): ChosenForm[] => {
    const form = FORMS[name] as Form;
    const numbers = numberTokens(form, tokenizer);
    const fits = numbers !== null && pairOf(form, numbers, { noun, century: 17, year: 32 }, tokenizer) !== null;
    return fits ? [{ form, numbers }] : [];
  });
  return (
    found[0] ??
    refuse(
      'task/generator',
      `generator greater-than: this model's tokenizer writes years in no way that can be asked for (${names.join(', ')}): choose another task`,
    )
  );
};
