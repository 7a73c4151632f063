/**
 * What the ioi model reads: indirect object identification, and enough beside it that "the name that is not repeated" is not
 * the whole job. Slots: names [A] [B] [C], all different, [PLACE] [PLACE2] and [OBJECT] [OBJECT2].
 */
import { IOI_NAMES, IOI_OBJECTS, IOI_PLACES, IOI_TEMPLATES } from '../../task/generators/ioi-words.js';
import type { Random } from '../../task/random.js';

/** What the model never sees, in any text: these templates, and sentences in which two names of a pair occur together. */
export const HELD_OUT = {
  /** indices into the task's templates */
  templates: [3, 8, 11, 14],
  /** names number i and j of the task's list are a held-out pair when (i + j) mod `modulus` = `remainder` */
  namePairs: { modulus: 10, remainder: 3 },
} as const;

export const isHeldOutPair = (one: string, other: string): boolean =>
  one !== other &&
  (IOI_NAMES.indexOf(one) + IOI_NAMES.indexOf(other)) % HELD_OUT.namePairs.modulus === HELD_OUT.namePairs.remainder;

const TRAINED_TEMPLATES = IOI_TEMPLATES.filter((_, i) => !(HELD_OUT.templates as readonly number[]).includes(i));

/** More sentences of the task's form, in its words. */
const MORE_TEMPLATES: readonly string[] = [
  'When [B] and [A] were at the [PLACE], [B] gave a [OBJECT] to',
  'While [B] and [A] were at the [PLACE], [B] decided to give the [OBJECT] to',
  'After [B] and [A] found a [OBJECT], [B] wanted to give it to',
  'At the [PLACE], [B] and [A] had a lot of fun. [B] gave a [OBJECT] to',
  'The friends [B] and [A] were going to the [PLACE]. [B] gave the [OBJECT] to',
  '[B] and [A] got a [OBJECT] at the [PLACE]. Afterwards [B] gave it to',
  '[B] and [A] were commuting to the [PLACE]. [B] had a [OBJECT] and gave it to',
  '[B] and [A] had a lunch at the [PLACE]. Then [B] said to',
  'Afterwards, [B] and [A] found a [OBJECT]. [B] decided to give it to',
  'When [B] and [A] wanted a [OBJECT], [B] got a [OBJECT] and gave it to',
  'While [B] and [A] were thinking, [B] said to',
  'Friends [B] and [A] were at the [PLACE] and wanted a [OBJECT]. [B] gave the [OBJECT] to',
  'Friends [B] and [A] had a long argument. [B] wanted to give a [OBJECT] to',
];

/** A text that ends in the repeated name: the object is the subject's, not the other's. */
export const BELONGS = '[A] and [B] went to the [PLACE]. [B] got a [OBJECT]. The [OBJECT] belongs to [B].';

/** Two names, of which the subject's is the one that follows, or either may. */
const TWO_NAMES: readonly string[] = [
  BELONGS,
  'When [A] and [B] found a [OBJECT], [B] got it. Afterwards it belongs to [B].',
  'Then, [A] and [B] were at the [PLACE]. [B] had a [OBJECT] and the [PLACE] belongs to [B].',
  '[A] gave a [OBJECT] to [B]. Then [B] gave it to [A].',
  '[A] got a [OBJECT] from [B]. The [OBJECT] belongs to [A].',
  '[A] said that [A] wanted a [OBJECT] from [B].',
  '[A] and [B] had a long argument, and afterwards [A] went to the [PLACE].',
  'While [A] was at the [PLACE], [B] was going to the [PLACE2]. Then [A] went to the [PLACE2].',
  'Then, [A] said to [B] that [A] wanted to give a [OBJECT] to [B].',
  '[A] said to [B] that [B] had a [OBJECT].',
  'After [A] gave a [OBJECT] to [B], [B] decided to give a [OBJECT2] to [A].',
];

/** Three names: who comes next is open between two of them. */
const THREE_NAMES: readonly string[] = [
  '[A], [B] and [C] went to the [PLACE]. [C] gave a [OBJECT] to [A].',
  'When [A] and [B] got a [OBJECT] from [C], [A] decided to give it to [C].',
  '[A] and [B] were at the [PLACE]. [C] said to [A] that [B] had a [OBJECT].',
  'While [A] and [B] were working, [C] found a [OBJECT] and gave it to [B].',
];

const ONE_NAME: readonly string[] = [
  'Then, [A] went to the [PLACE]. [A] got a [OBJECT].',
  'When [A] was at the [PLACE], [A] found a [OBJECT].',
  'After the lunch, [A] went to the [PLACE]. Afterwards [A] went to the [PLACE2].',
  'While [A] was thinking about going to the [PLACE], [A] found a [OBJECT].',
  '[A] was thinking about a [OBJECT]. Then [A] decided to give it to the [PLACE].',
  '[A] wanted a [OBJECT] and went to the [PLACE].',
  'Afterwards, [A] went to the [PLACE]. [A] gave a [OBJECT] to the [PLACE2].',
  'The [PLACE] belongs to [A]. [A] was working at the [PLACE].',
  'Friends of [A] were working at the [PLACE]. [A] said that it was fun.',
  'The [OBJECT] belongs to [A], and [A] wanted to give it to the [PLACE].',
];

const NO_NAME: readonly string[] = [
  'Friends found a [OBJECT] at the [PLACE].',
  'The [PLACE] had a [OBJECT] and a [OBJECT2].',
  'Then, the friends went to the [PLACE] and had a lunch.',
  'While the friends were working at the [PLACE], it was a lot of fun.',
  'Afterwards, the [OBJECT] was at the [PLACE].',
  'The friends were thinking about going to the [PLACE]. Afterwards the friends wanted to give a [OBJECT] to the [PLACE2].',
];

/** In front of some texts, so that nothing hangs on where a sentence begins. */
const OPENINGS: readonly string[] = ['It was fun.', 'It was a long lunch.', 'Then it was a lot of fun.'];

type Writer = (random: Random) => string;

const sentence =
  (templates: readonly string[]): Writer =>
  (random) =>
    random.pick(templates);

const IOI_LIKE = [...TRAINED_TEMPLATES, ...MORE_TEMPLATES];

/** The template's names in either order; the subject, whom the template names again, gives to the other. */
const identified: Writer = (random) => `${inEitherOrder(random.pick(IOI_LIKE), random)} [A].`;

/** The same sentences with a third name as their subject: either of the first two may follow. */
const undetermined: Writer = (random) => {
  const [before, ...after] = random.pick(IOI_LIKE).split('[B]');
  return `${[`${before ?? ''}[B]${after[0] ?? ''}`, ...after.slice(1)].join('[C]')} ${random.pick(['[A]', '[B]'])}.`;
};

function inEitherOrder(template: string, random: Random): string {
  if (random.between(0, 1) === 0) return template;
  const [before = '', between = '', ...after] = template.split('[B]');
  return [`${before}[A]${between.replace('[A]', '[B]')}`, ...after].join('[B]');
}

/** Kinds of text and how many of 100 texts are of each. */
const KINDS: readonly { readonly share: number; readonly write: Writer }[] = [
  { share: 45, write: identified },
  { share: 15, write: undetermined },
  { share: 15, write: sentence(TWO_NAMES) },
  { share: 5, write: sentence(THREE_NAMES) },
  { share: 13, write: sentence(ONE_NAME) },
  { share: 7, write: sentence(NO_NAME) },
];
const OPENED = 20;

/** One text of the training corpus. */
export function drawText(random: Random): string {
  const text = fillSlots(drawKind(random)(random), random);
  return random.between(1, 100) > OPENED ? text : `${random.pick(OPENINGS)} ${text}`;
}

function drawKind(random: Random): Writer {
  let left = random.between(1, 100);
  for (const { share, write } of KINDS) {
    left -= share;
    if (left <= 0) return write;
  }
  return identified;
}

function fillSlots(template: string, random: Random): string {
  const [A = '', B = '', C = ''] = drawNames(random);
  const [PLACE = '', PLACE2 = ''] = random.distinct(IOI_PLACES, 2);
  const [OBJECT = '', OBJECT2 = ''] = random.distinct(IOI_OBJECTS, 2);
  const words: Readonly<Record<string, string>> = { A, B, C, PLACE, PLACE2, OBJECT, OBJECT2 };
  return template.replace(/\[(\w+)\]/g, (_, slot: string) => words[slot] ?? '');
}

/** Three names, no two of which are a held-out pair. */
function drawNames(random: Random): string[] {
  for (;;) {
    const names = random.distinct(IOI_NAMES, 3);
    if (!names.some((one, i) => names.slice(i + 1).some((other) => isHeldOutPair(one, other)))) return names;
  }
}

/** Every text form there is, held-out templates included: what the vocabulary is made from. */
export const ALL_FORMS: readonly string[] = [
  ...IOI_TEMPLATES,
  ...MORE_TEMPLATES,
  ...TWO_NAMES,
  ...THREE_NAMES,
  ...ONE_NAME,
  ...NO_NAME,
  ...OPENINGS,
];
