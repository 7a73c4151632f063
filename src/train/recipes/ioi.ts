/** A small GPT-2 that knows who is given what: indirect object identification (Wang et al. 2022, arXiv 2211.00593). */
import { buildTokenizer } from '../../model/tokenizer.js';
import type { Tokenizer } from '../../model/types.js';
import { IOI_NAMES, IOI_OBJECTS, IOI_PLACES, IOI_TEMPLATES } from '../../task/generators/ioi-words.js';
import { ioi as ioiTask } from '../../task/generators/ioi.js';
import { seeded, type Random } from '../../task/random.js';
import type { TaskPair } from '../../task/schema.js';
import { batchOf, type Batch } from '../batch.js';
import { causalConfig, withBiases } from '../config.js';
import type { Blueprint } from '../forward.js';
import { saveGpt2 } from '../files/gpt2-files.js';
import { ALL_FORMS, BELONGS, drawText, HELD_OUT, isHeldOutPair } from './ioi-corpus.js';
import type { Meter, Reading } from '../meter.js';
import type { Recipe } from './recipe.js';
import { tokenizerJson, wordVocabulary } from '../files/word-tokenizer.js';

const END = 0;

export const ioiVocabulary = wordVocabulary([
  ...ALL_FORMS.map((form) => form.replace(/\[\w+\]/g, '')),
  ...IOI_NAMES,
  ...IOI_PLACES,
  ...IOI_OBJECTS,
]);

const blueprint: Blueprint = {
  config: causalConfig(
    { name: 'ioi', nLayers: 4, nHeads: 4, dModel: 128, dMlp: 512, nCtx: 32, dVocab: ioiVocabulary.tokens.length },
    { architecture: 'gpt2', positional: 'learned', rotary: null },
  ),
  tied: true,
  has: withBiases(true),
};

export const ioiRecipe: Recipe = {
  key: 'ioi',
  title: 'a small GPT-2 that does indirect object identification',
  blueprint,
  schedule: { steps: 3500, warmup: 200, rate: 2e-3, floor: 0.02, decay: 0.1, seed: 0 },
  batches: batchesOfTexts,
  verify: ioiFigures,
  save: (folder, weights) => saveGpt2(folder, blueprint, { vocabulary: ioiVocabulary, weights }),
};

const BATCH = 48;
/** Texts are drawn this many batches at a time and batched by length, so that little is padding. */
const POOL = 8;

function batchesOfTexts(random: Random): () => Batch {
  let ready: Batch[] = [];
  const refill = (): Batch[] => {
    const texts = Array.from({ length: BATCH * POOL }, () => [...ioiVocabulary.encode(drawText(random)), END]);
    const sorted = texts.sort((a, b) => a.length - b.length);
    const groups = Array.from({ length: POOL }, (_, i) => sorted.slice(i * BATCH, (i + 1) * BATCH));
    return random.shuffled(groups).map((group) => batchOf(group, END));
  };
  return () => {
    if (ready.length === 0) ready = refill();
    return ready.pop() as Batch;
  };
}

/** Pairs drawn for each row of the figures; of those drawn from all names, a tenth are of held-out names. */
const PAIRS = { ofTrainedNames: 500, ofAllNames: 3000 } as const;

interface Question {
  readonly templates: readonly number[];
  readonly heldOutNames: boolean;
  readonly corruption: 's2-swap' | 'abc';
}

/** What the model answers at the end of the task's prompts. */
export interface Answers {
  readonly pairs: number;
  /** how often the indirect object is the likeliest of all tokens */
  readonly accuracy: number;
  /** mean logit of the indirect object less that of the subject, of the clean prompts */
  readonly logitDifference: number;
  /** the same of the corrupt prompts */
  readonly corruptLogitDifference: number;
}

export interface IoiFigures {
  readonly heldOut: typeof HELD_OUT;
  readonly heldOutTemplatesAndNames: Answers;
  readonly heldOutTemplates: Answers;
  readonly heldOutNames: Answers;
  readonly trained: Answers;
  /** held-out templates and names; the corrupt prompts name three people once each */
  readonly heldOutWithThreeNames: Answers;
  /** "… The ring belongs to", held-out names: here the repeated name is correct, and the corrupt prompts have the names exchanged */
  readonly repeatedName: Answers;
}

/** On templates and name pairs that training has and has not seen; the corrupt prompts have the second subject exchanged (s2-swap). */
export async function ioiFigures(meter: Meter): Promise<IoiFigures> {
  const heldOut: readonly number[] = HELD_OUT.templates;
  const seen = IOI_TEMPLATES.map((_, i) => i).filter((i) => !heldOut.includes(i));
  const ask = (question: Question): Promise<Answers> => answer(meter, question);
  return {
    heldOut: HELD_OUT,
    heldOutTemplatesAndNames: await ask({ templates: heldOut, heldOutNames: true, corruption: 's2-swap' }),
    heldOutTemplates: await ask({ templates: heldOut, heldOutNames: false, corruption: 's2-swap' }),
    heldOutNames: await ask({ templates: seen, heldOutNames: true, corruption: 's2-swap' }),
    trained: await ask({ templates: seen, heldOutNames: false, corruption: 's2-swap' }),
    heldOutWithThreeNames: await ask({ templates: heldOut, heldOutNames: true, corruption: 'abc' }),
    repeatedName: await answersTo(meter, repeatedNamePairs(seeded(2))),
  };
}

/** The task's own tokenizer-dependent generator, asked for this model. */
const tokenizer = (): Tokenizer =>
  buildTokenizer({ ...tokenizerJson(ioiVocabulary) }, { bosId: null, prependsBos: false, digest: '', origin: 'ioi' });

async function answer(meter: Meter, { templates, heldOutNames, corruption }: Question): Promise<Answers> {
  const { config } = blueprint;
  const { pairs } = ioiTask.generate({
    tokenizer: tokenizer(),
    config,
    count: heldOutNames ? PAIRS.ofAllNames : PAIRS.ofTrainedNames,
    seed: 1,
    options: { templates, corruption },
  });
  const asked = pairs.filter((pair) => isHeldOutPair(word(pair.correct), word(pair.incorrect)) === heldOutNames);
  return answersTo(meter, asked);
}

/** The subject's name is repeated, and comes again. */
function repeatedNamePairs(random: Random): TaskPair[] {
  return Array.from({ length: PAIRS.ofTrainedNames }, () => {
    const other = random.pick(IOI_NAMES);
    const subject = random.pick(IOI_NAMES.filter((name) => isHeldOutPair(name, other)));
    const things = { '[PLACE]': random.pick(IOI_PLACES), '[OBJECT]': random.pick(IOI_OBJECTS) };
    const text = (names: Readonly<Record<string, string>>): string =>
      BELONGS.replace(/\[\w+\]/g, (slot) => ({ ...things, ...names })[slot] ?? '').replace(/ \w+\.$/, '');
    const [clean, corrupt] = [text({ '[A]': other, '[B]': subject }), text({ '[A]': subject, '[B]': other })];
    return { clean, corrupt, correct: subject, incorrect: other };
  });
}

async function answersTo(meter: Meter, pairs: readonly TaskPair[]): Promise<Answers> {
  const [clean, corrupt] = [await judge(meter, pairs, 'clean'), await judge(meter, pairs, 'corrupt')];
  return {
    pairs: pairs.length,
    accuracy: clean.accuracy,
    logitDifference: clean.logitDifference,
    corruptLogitDifference: corrupt.logitDifference,
  };
}

const word = (answer: unknown): string => String(answer).trim();

async function judge(
  meter: Meter,
  pairs: readonly TaskPair[],
  side: 'clean' | 'corrupt',
): Promise<{ accuracy: number; logitDifference: number }> {
  const prompts = pairs.map((pair) => ioiVocabulary.encode(String(pair[side])));
  const reading = await meter.read(prompts);
  const rows = pairs.map((pair, row) => {
    const [correct = 0, incorrect = 0] = [pair.correct, pair.incorrect].flatMap((one) =>
      ioiVocabulary.encode(word(one)),
    );
    const at = (prompts[row]?.length ?? 0) - 1;
    const logit = (id: number): number => reading.logit(row, at, id);
    return { hit: mostLikely(reading, row, at) === correct ? 1 : 0, difference: logit(correct) - logit(incorrect) };
  });
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  return {
    accuracy: mean(rows.map(({ hit }) => hit)),
    logitDifference: mean(rows.map(({ difference }) => difference)),
  };
}

function mostLikely(reading: Reading, row: number, at: number): number {
  let best = 0;
  for (let id = 1; id < blueprint.config.dVocabOut; id++)
    if (reading.logit(row, at, id) > reading.logit(row, at, best)) best = id;
  return best;
}
