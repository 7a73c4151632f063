/** Generating tasks for tokenizers whose vocabulary is known. */
import type { Tokenizer } from '../../src/model/types.js';
import { GENERATORS } from '../../src/task/generators/index.js';
import type { GeneratorContext } from '../../src/task/generators/generator.js';
import { IOI_NAMES, IOI_OBJECTS, IOI_PLACES, IOI_TEMPLATES } from '../../src/task/generators/ioi-words.js';
import type { TaskFile, TaskPair } from '../../src/task/schema.js';
import { configFor, textTokenizer } from './tokenizers.js';

/** Every word that the generators know, as a tokenizer with a large vocabulary would have it. */
export const everyWord = (numbers: 'pairs' | 'digits'): Tokenizer =>
  textTokenizer({
    numbers,
    words: [
      ...[...IOI_TEMPLATES, ...IOI_NAMES, ...IOI_PLACES, ...IOI_OBJECTS].flatMap(
        (text) => text.match(/[A-Za-z]+/g) ?? [],
      ),
      ...'The attack plan war trip lasted from year doctor doctors boy boys man men near behind beside desk desks tree trees car cars is are has have'.split(
        ' ',
      ),
      ...'def self param air area art bar base bed bill block board body book box boy call car card case cell child city class code'.split(
        ' ',
      ),
    ],
  });
export const large = everyWord('digits');

export const generate = (key: string, context: Partial<GeneratorContext> = {}): TaskFile => {
  const tokenizer = context.tokenizer === undefined ? large : context.tokenizer;
  const generator = GENERATORS.find((one) => one.key === key);
  if (generator === undefined) throw new Error(`no generator ${key}`);
  return generator.generate({ tokenizer, config: configFor(tokenizer), count: 30, seed: 0, options: {}, ...context });
};

export const words = (prompt: TaskPair['clean']): string[] => String(prompt).match(/[A-Za-z]+/g) ?? [];
