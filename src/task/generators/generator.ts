/** What a generator of tasks is. One generator = one file + one line in index.ts. */
import { setImmediate } from 'node:timers/promises';
import type { Static, TObject } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import { refuse } from '../../errors.js';
import { choicesFor } from '../../nearest.js';
import type { ModelConfig, Tokenizer } from '../../model/types.js';
import { seeded, type Random } from '../random.js';
import { MOST_PAIRS, type DroppedSource, type TaskFile, type TaskPair } from '../schema.js';
import type { MetricKey } from '../types.js';

/** The model that pairs are made for, how many, and by which seed. */
export interface GeneratorContext {
  readonly tokenizer: Tokenizer | null;
  readonly config: Pick<ModelConfig, 'name' | 'dVocab' | 'nCtx'>;
  readonly count: number;
  readonly seed: number;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface Generator {
  readonly key: string;
  readonly title: string;
  /** paper or source */
  readonly reference: string;
  /** JSON Schema of its options */
  readonly options: TObject;
  /**
   * A task for the model at hand: pairs of equal token length, spans, groups, and what was left out. The same context
   * gives the same task.
   * @throws task/generator when an option is unknown or the model's vocabulary does not suffice
   */
  generate(context: GeneratorContext): TaskFile;
  /** The same, letting the program attend to other things (Ctrl-C) between pairs. */
  generatePatiently(context: GeneratorContext): Promise<TaskFile>;
}

/** What a generator's own code returns; the rest of the task file is filled in. */
export interface Generated {
  /** made one by one as they are asked for */
  readonly pairs: Iterable<TaskPair>;
  readonly dropped: readonly DroppedSource[];
  readonly bos?: boolean;
}

interface Definition<O extends TObject> {
  readonly key: string;
  readonly title: string;
  readonly reference: string;
  readonly licence?: string;
  readonly metric: MetricKey;
  readonly options: O;
  make(context: GeneratorContext, options: Static<O>, random: Random): Generated;
}

export const defineGenerator = <O extends TObject>(definition: Definition<O>): Generator => {
  const { key, title, reference, options } = definition;
  const begin = (context: GeneratorContext): Generated => {
    checkCount(key, context);
    return definition.make(context, checkedOptions(key, options, context.options), seeded(context.seed));
  };
  return {
    key,
    title,
    reference,
    options,
    generate: (context) => {
      const made = begin(context);
      return taskOf(definition, context, { ...made, pairs: [...made.pairs] });
    },
    generatePatiently: async (context) => {
      const made = begin(context);
      return taskOf(definition, context, { ...made, pairs: await patiently(made.pairs) });
    },
  };
};

/** Pairs made in one go. */
const AT_ONCE = 16;

const patiently = async <T>(making: Iterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for (const one of making) if (all.push(one) % AT_ONCE === 0) await setImmediate();
  return all;
};

const taskOf = <O extends TObject>(
  { key, reference, licence, metric }: Definition<O>,
  { seed, count, config, tokenizer, options }: GeneratorContext,
  { pairs, dropped, bos }: Generated & { readonly pairs: TaskPair[] },
): TaskFile => {
  const asked = Object.keys(options).length === 0 ? {} : { options: { ...options } };
  return {
    name: key,
    metric,
    pairs,
    generator: { name: key, seed, count, ...asked },
    ...(bos === undefined ? {} : { bos }),
    provenance: { source: reference, ...(licence === undefined ? {} : { licence }), dropped: [...dropped] },
    model: { name: config.name, ...(tokenizer === null ? {} : { tokenizer: tokenizer.digest }) },
  };
};

const checkCount = (key: string, { count, seed }: GeneratorContext): void => {
  if (!Number.isInteger(count) || count < 1 || count > MOST_PAIRS)
    refuse('task/generator', `generator ${key}: ${count} pairs were asked for; ask for 1 to ${MOST_PAIRS}`);
  if (!Number.isSafeInteger(seed))
    refuse('task/generator', `generator ${key}: the seed is ${seed}; expected a whole number of at most 2^53`);
};

const checkedOptions = <O extends TObject>(key: string, schema: O, options: unknown): Static<O> => {
  const validate = new Ajv({ strict: false, verbose: true }).compile<Static<O>>({
    ...schema,
    additionalProperties: false,
  });
  if (validate(options)) return options;
  const error = validate.errors?.[0];
  const { additionalProperty: unknown, allowedValues } = (error?.params ?? {}) as {
    additionalProperty?: string;
    allowedValues?: readonly string[];
  };
  const known = choicesFor(unknown ?? '', Object.keys(schema.properties));
  if (unknown !== undefined)
    return refuse(
      'task/generator',
      `generator ${key}: unknown option "${unknown}"; expected ${known === '' ? 'none' : `only ${known}`}`,
    );
  const wanted = allowedValues ? `must be one of ${choicesFor(String(error?.data), allowedValues)}` : error?.message;
  return refuse('task/generator', `generator ${key}: option ${error?.instancePath ?? ''} ${wanted ?? 'is wrong'}`);
};

/** The tokenizer, without which text cannot be made. */
export const needTokenizer = (key: string, { tokenizer, config }: GeneratorContext): Tokenizer =>
  tokenizer ??
  refuse(
    'task/generator',
    `generator ${key} writes text, but ${config.name} has no tokenizer: use the induction task, or give token ids`,
  );

/** Refuses when a pool of words has become too small. */
export const needWords = (key: string, what: string, words: readonly unknown[], least: number): void => {
  if (words.length < least) {
    refuse(
      'task/generator',
      `generator ${key}: only ${words.length} ${what} can be used with this model, ${least} are needed: choose another task or model`,
    );
  }
};

/**
 * Draws until there are `count` pairs, no two of which run the same prompts, in whichever role: each when it is asked for.
 * @param draw makes the nth pair, or null when what it drew will not do
 */
export function* collectPairs(key: string, count: number, draw: (nth: number) => TaskPair | null): Iterable<TaskPair> {
  const known = new Set<string>();
  for (let failures = 0; known.size < count;) {
    const pair = draw(known.size);
    const prompts = pair === null ? null : [pair.clean, pair.corrupt].map(String).sort().join('|');
    if (pair === null || prompts === null || known.has(prompts)) {
      if (++failures > 1000) {
        refuse(
          'task/generator',
          `generator ${key}: no more than ${known.size} different pairs were found for this model, ${count} were asked for: ask for fewer`,
        );
      }
      continue;
    }
    failures = 0;
    known.add(prompts);
    yield pair;
  }
}
