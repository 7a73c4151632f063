/**
 * Indirect object identification: "Then, John and Mary went to the store. John gave a ring to" → " Mary", not " John".
 * Wang et al. 2022, arXiv 2211.00593.
 */
import { Type } from '@sinclair/typebox';
import type { Tokenizer } from '../../model/types.js';
import type { Random } from '../random.js';
import type { TaskPair } from '../schema.js';
import { encodeOrNull, oneTokenWords, roundTrips } from '../words.js';
import { collectPairs, defineGenerator, needTokenizer, needWords } from './generator.js';
import { IOI_NAMES, IOI_OBJECTS, IOI_PLACES, IOI_TEMPLATES } from './ioi-words.js';
import { fill, sameShape, spansOf } from './prompt.js';

type Roles = Readonly<Record<'IO' | 'S1' | 'S2', string>>;
type Corruption = (roles: Roles, names: readonly string[], random: Random) => Roles;

/** How the corrupt prompt is made from the clean one's names. */
const CORRUPTIONS: Readonly<Record<string, Corruption>> = {
  /** the second subject becomes the indirect object: the answer is exchanged */
  's2-swap': ({ IO, S1 }) => ({ IO, S1, S2: IO }),
  /** pABC: three fresh names, so that no name is repeated and no answer is favoured */
  abc: ({ IO, S1 }, names, random) => {
    const [a = '', b = '', c = ''] = random.distinct(names, 3, [IO, S1]);
    return { IO: a, S1: b, S2: c };
  },
};

const ORDERS = ['ABBA', 'BABA'] as const;

const Options = Type.Object({
  corruption: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: Object.keys(CORRUPTIONS) })),
  order: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: [...ORDERS, 'both'] })),
  templates: Type.Optional(
    Type.Array(Type.Integer({ minimum: 0, maximum: IOI_TEMPLATES.length - 1 }), { minItems: 1 }),
  ),
  names: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
});

interface Form {
  readonly group: string;
  /** slots [IO], [S1], [S2], [PLACE], [OBJECT] and, where the object comes again, [OBJECT2] */
  readonly template: string;
}

/** A BABA template with its roles named, in the order asked for. */
const formOf = (index: number, order: string): Form => {
  const roles = order === 'BABA' ? { '[B]': '[S1]', '[A]': '[IO]' } : { '[B]': '[IO]', '[A]': '[S1]' };
  const [before = '', between = '', after = ''] = (IOI_TEMPLATES[index] ?? '').split('[B]');
  const template = `${before}${roles['[B]']}${between.replace('[A]', roles['[A]'])}[S2]${after}`;
  const second = template.lastIndexOf('[OBJECT]');
  const again = second !== template.indexOf('[OBJECT]');
  return {
    group: `${order} ${index}`,
    template: again ? `${template.slice(0, second)}[OBJECT2]${template.slice(second + '[OBJECT]'.length)}` : template,
  };
};

const isWritable = ({ template }: Form, tokenizer: Tokenizer): boolean => {
  const sentence = template
    .replace(/\[[^\]]+\]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  const ids = encodeOrNull(sentence, tokenizer);
  return ids !== null && roundTrips(sentence, ids, tokenizer);
};

export const ioi = defineGenerator({
  key: 'ioi',
  title: 'Indirect object identification: 15 templates in both orders, 99 names',
  reference: 'Wang et al. 2022, arXiv 2211.00593; names, places, objects and templates of its code',
  metric: 'logit-difference',
  options: Options,
  make: (context, options, random) => {
    const tokenizer = needTokenizer('ioi', context);
    const corruption = CORRUPTIONS[options.corruption ?? 's2-swap'] as Corruption;
    const names = oneTokenWords(options.names ?? IOI_NAMES, 'names', tokenizer);
    const places = oneTokenWords(IOI_PLACES, 'places', tokenizer);
    const objects = oneTokenWords(IOI_OBJECTS, 'objects', tokenizer);
    needWords('ioi', 'names', names.kept, 5);
    needWords('ioi', 'places', places.kept, 1);
    needWords('ioi', 'objects', objects.kept, 1);

    const orders = ORDERS.filter((order) => [undefined, 'both', order].includes(options.order));
    const forms = (options.templates ?? IOI_TEMPLATES.map((_, index) => index)).flatMap((index) =>
      orders.map((order) => formOf(index, order)),
    );
    const writable = forms.filter((form) => isWritable(form, tokenizer));
    needWords('ioi', 'templates', writable, 1);
    // every template in turn, so that each has its share of the pairs
    const turns = random.shuffled(writable);

    const draw = (nth: number): TaskPair | null => {
      const { template, group } = turns[nth % turns.length] as Form;
      const [IO = '', S1 = ''] = random.distinct(names.kept, 2);
      const OBJECT = random.pick(objects.kept);
      const things = { PLACE: random.pick(places.kept), OBJECT, OBJECT2: OBJECT };
      const roles = { IO, S1, S2: S1 };
      const clean = fill(template, { ...things, ...roles });
      const corrupt = fill(template, { ...things, ...corruption(roles, names.kept, random) });
      const spans = spansOf(clean, tokenizer);
      if (!sameShape(spans, spansOf(corrupt, tokenizer))) return null;
      return {
        clean: clean.text,
        corrupt: corrupt.text,
        correct: ` ${IO}`,
        incorrect: ` ${S1}`,
        spans: withNext(spans),
        group,
      };
    };
    const lost = forms.filter((form) => !writable.includes(form)).map(({ group }) => group);
    const unwritten = {
      reason: 'templates with words that the tokenizer cannot write',
      count: lost.length,
      items: lost,
    };
    return {
      pairs: collectPairs('ioi', context.count, draw),
      dropped: [...names.dropped, ...places.dropped, ...objects.dropped, ...(lost.length > 0 ? [unwritten] : [])],
    };
  },
});

/** Adds `S1+1`, where previous-token heads write. */
const withNext = (spans: Record<string, [number, number]>): Record<string, [number, number]> => {
  const after = spans.S1?.[1] ?? 0;
  return { ...spans, 'S1+1': [after, after + 1] };
};
