/** What a generator of tasks is. One generator = one file + one line in index.ts. */
import type { Static, TObject } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import { refuse } from '../../errors.js';
import type { ModelConfig, Tokenizer } from '../../model/types.js';
import { seeded, type Random } from '../random.js';
import type { DroppedSource, TaskFile, TaskPair } from '../schema.js';
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
}

/** What a generator's own code returns; the rest of the task file is filled in. */
export interface Generated {
  readonly pairs: readonly TaskPair[];
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
  const { key, title, reference, licence, metric, options } = definition;
  return {
    key,
    title,
    reference,
    options,
    generate: (context) => {
      const { seed, count, config, tokenizer } = context;
      const checked = checkedOptions(key, options, context.options);
      const { pairs, dropped, bos } = definition.make(context, checked, seeded(seed));
      return {
        name: key,
        metric,
        pairs: [...pairs],
        generator: {
          name: key,
          seed,
          count,
          ...(Object.keys(context.options).length === 0 ? {} : { options: { ...context.options } }),
        },
        ...(bos === undefined ? {} : { bos }),
        provenance: { source: reference, ...(licence === undefined ? {} : { licence }), dropped: [...dropped] },
        model: { name: config.name, ...(tokenizer === null ? {} : { tokenizer: tokenizer.digest }) },
      };
    },
  };
};

const checkedOptions = <O extends TObject>(key: string, schema: O, options: unknown): Static<O> => {
  const validate = new Ajv({ strict: false }).compile<Static<O>>({ ...schema, additionalProperties: false });
  if (validate(options)) return options;
  const error = validate.errors?.[0];
  const unknown = (error?.params as { additionalProperty?: string } | undefined)?.additionalProperty;
  const known = Object.keys(schema.properties).join(', ');
  return refuse(
    'task/generator',
    unknown === undefined
      ? `generator ${key}: option ${error?.instancePath ?? ''} ${error?.message ?? 'is wrong'}`
      : `generator ${key}: unknown option "${unknown}"; expected ${known === '' ? 'none' : `only ${known}`}`,
  );
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
 * Draws until there are `count` pairs, no two of which run the same prompts, in whichever role.
 * @param draw makes the nth pair, or null when what it drew will not do
 */
export const collectPairs = (key: string, count: number, draw: (nth: number) => TaskPair | null): TaskPair[] => {
  const pairs = new Map<string, TaskPair>();
  for (let failures = 0; pairs.size < count;) {
    const pair = draw(pairs.size);
    const known = pair === null ? undefined : [pair.clean, pair.corrupt].map(String).sort().join('|');
    if (pair === null || known === undefined || pairs.has(known)) {
      if (++failures > 1000) {
        refuse(
          'task/generator',
          `generator ${key}: no more than ${pairs.size} different pairs were found for this model, ${count} were asked for: ask for fewer`,
        );
      }
      continue;
    }
    failures = 0;
    pairs.set(known, pair);
  }
  return [...pairs.values()];
};
