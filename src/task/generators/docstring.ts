/**
 * Docstring: a Python function's arguments are documented in order; which comes next? Heimersheim & Janiak 2023,
 * "A circuit for Python docstrings in a 4-layer attention-only transformer".
 *
 * The corrupt prompt draws the arguments A, B, C of the definition and A, B of the docstring anew, independently, so that
 * neither order nor identity says which argument follows. The distractors are the definition's other arguments; the logit
 * difference takes their mean (the paper takes their maximum).
 */
import { Type } from '@sinclair/typebox';
import type { TaskPair } from '../schema.js';
import { oneTokenWords } from '../words.js';
import { collectPairs, defineGenerator, needTokenizer, needWords } from './generator.js';
import { fill, sameShape, spansOf } from './prompt.js';

/** Short nouns that make plausible names and descriptions. */
const WORDS = (
  'air area art bar base bed bill block board body book box boy call car card case cell child city class code color cost ' +
  'count course court cover day deal design door earth edge end event eye face fact farm father field file fire floor food ' +
  'foot form frame game girl glass gold ground group hair hall hand head heart heat hole home horse hour house image island ' +
  'job key king lake land law leg level life light line list load lot map mark market mass men mind model money month moon ' +
  'mother mouth name night node note number office oil order page pair paper part path peace people piece place plan plant ' +
  'plate point port post power price rain range rate record river road rock role room root rule scale school sea season seat ' +
  'sense set shape ship side sign site size skin sky snow song sort sound space speed spot spring staff stage star state ' +
  'step stone store story street style sun table team term test text thing time title top town train tree trip type unit ' +
  'value view voice walk wall war water wave way week wind window wood word work world year'
).split(' ');

const TEMPLATE = [
  '',
  'def [_function](self, [prefix1], [prefix2], [A_def], [B_def], [C_def], [suffix1]):',
  '    """a [_summary1] [_summary2] [_summary3]',
  '',
  '    :param [A_doc]: [_about_A1] [_about_A2]',
  '    :param [B_doc]: [_about_B1] [_about_B2]',
  '    :param',
].join('\n');

/** Words that stay the same in both prompts. */
const KEPT = [
  '_function',
  'prefix1',
  'prefix2',
  'suffix1',
  '_summary1',
  '_summary2',
  '_summary3',
  '_about_A1',
  '_about_A2',
  '_about_B1',
  '_about_B2',
];
const DISTRACTORS = ['prefix1', 'prefix2', 'A_def', 'B_def', 'suffix1'];

export const docstring = defineGenerator({
  key: 'docstring',
  title: 'Docstring: the next argument to document',
  reference: 'Heimersheim & Janiak 2023, docstring circuit (reST style, 2 + 3 + 1 arguments)',
  metric: 'logit-difference',
  options: Type.Object({}),
  make: (context, _options, random) => {
    const tokenizer = needTokenizer('docstring', context);
    const words = oneTokenWords(WORDS, 'words', tokenizer);
    needWords('docstring', 'words', words.kept, KEPT.length + 8);
    const draw = (): TaskPair | null => {
      const drawn = random.distinct(words.kept, KEPT.length + 8);
      const kept = Object.fromEntries(KEPT.map((slot, index) => [slot, drawn[index] as string]));
      const [A = '', B = '', C = '', a = '', b = '', c = '', otherA = '', otherB = ''] = drawn.slice(KEPT.length);
      const cleanWords: Record<string, string> = { ...kept, A_def: A, B_def: B, C_def: C, A_doc: A, B_doc: B };
      const clean = fill(TEMPLATE, cleanWords);
      const corrupt = fill(TEMPLATE, { ...kept, A_def: a, B_def: b, C_def: c, A_doc: otherA, B_doc: otherB });
      const spans = spansOf(clean, tokenizer);
      if (!sameShape(spans, spansOf(corrupt, tokenizer))) return null;
      return {
        clean: clean.text,
        corrupt: corrupt.text,
        correct: ` ${C}`,
        incorrect: DISTRACTORS.map((slot) => ` ${cleanWords[slot]}`),
        spans,
        group: 'reST',
      };
    };
    return { pairs: collectPairs('docstring', context.count, draw), dropped: words.dropped };
  },
});
