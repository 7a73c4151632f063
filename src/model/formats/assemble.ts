import { refuse } from '../../errors.js';
import { choicesFor } from '../../nearest.js';
import { printable } from '../../printable.js';
import type { Dialect, DialectKind } from '../architectures/index.js';
import { ARCHITECTURES } from '../architectures/index.js';
import type { Fields } from '../fields.js';
import type { TensorStore } from '../tensor-store.js';
import type { Model, ModelConfig, Tokenizer } from '../types.js';
import { storedWeights } from '../weights.js';

/** What a format has found in its files. */
export interface Parts {
  readonly kind: DialectKind;
  /** the architecture as the files call it */
  readonly family: string;
  readonly name: string;
  readonly fields: Fields;
  readonly store: TensorStore;
  readonly tokenizer: () => Promise<Tokenizer | null>;
  readonly source: string;
}

/**
 * Puts a model together; closes the files if that fails.
 * @throws model/architecture, model/config, model/vocabulary, weights/missing, weights/shape, weights/type, weights/unexpected
 */
export const assemble = async (parts: Parts): Promise<Model> => {
  const { store, source } = parts;
  try {
    const { key, dialect } = findDialect(parts);
    const reading = dialect.read(withinFile(parts.fields, store.tensors.size), store.tensors);
    const config: ModelConfig = { name: printable(parts.name), architecture: key, ...reading.config };
    const places = new Map(Object.entries(reading.weights));
    const used = new Set([...places.values()].map(({ tensor }) => tensor));
    for (const name of store.tensors.keys())
      if (!used.has(name) && !dialect.ignored.test(name)) refuseUnexpected(name, key, source);
    const weights = storedWeights(store, places);
    const tokenizer = await parts.tokenizer();
    if (tokenizer) checkVocabulary(tokenizer, config, source);
    return { config, weights, tokenizer, source, dispose: () => store.close() };
  } catch (error) {
    await store.close();
    throw error;
  }
};

/** How the families' files call the number of layers. */
const LAYERS = /^(n_layers?|num_layers|num_hidden_layers|block_count)$/;

/**
 * Every layer has a tensor of its own at least, so that a file with few tensors cannot have many layers. Checked when the number is
 * read: a list of all the layers' weights is made of it before any of them is looked for.
 */
const withinFile = (fields: Fields, tensors: number): Fields => ({
  ...fields,
  integer(key, options) {
    const value = fields.integer(key, options);
    if (LAYERS.test(key) && value > tensors)
      refuse(
        'model/config',
        `${fields.where}: '${key}' is ${value}, but the model's files hold ${tensors} tensors, fewer than one for each layer; the two do not belong together`,
      );
    return value;
  },
});

const findDialect = ({ kind, family, fields }: Parts): { key: string; dialect: Dialect } => {
  const known: string[] = [];
  for (const { key, dialects } of ARCHITECTURES) {
    const dialect = dialects[kind];
    if (dialect?.names.includes(family)) return { key, dialect };
    known.push(...(dialect?.names ?? []));
  }
  return refuse(
    'model/architecture',
    `${fields.where}: the architecture '${family}' is not known; known are ${choicesFor(family, known)}`,
  );
};

const refuseUnexpected = (name: string, architecture: string, source: string): never =>
  refuse(
    'weights/unexpected',
    `${source} holds the weight '${name}', for which ${architecture} has no place; the model does more than its config says`,
  );

const checkVocabulary = (tokenizer: Tokenizer, { dVocab }: ModelConfig, source: string): void => {
  if (tokenizer.vocabSize > dVocab)
    refuse(
      'model/vocabulary',
      `${source}: the tokenizer (${tokenizer.origin ?? 'of the caller'}) has ${tokenizer.vocabSize} ids, the model's embedding ${dVocab}; they do not belong together`,
    );
};
