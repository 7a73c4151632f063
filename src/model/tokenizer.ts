import { createHash } from 'node:crypto';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { refuse, TheveninError } from '../errors.js';
import type { JsonObject } from './json-file.js';
import { isObject, readJson, readJsonIfThere } from './json-file.js';
import { digestFiles } from './range-file.js';
import { wrongInTokenizer } from './tokenizer-shape.js';
import type { Tokenizer } from './types.js';

/** The part of @huggingface/tokenizers that is used. */
interface Library {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: (number | undefined)[] };
  decode(
    ids: readonly number[],
    options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean },
  ): string;
  id_to_token(id: number): string | undefined;
}

const Library = HuggingFaceTokenizer as new (json: object, config: object) => Library;

type Traits = Pick<Tokenizer, 'bosId' | 'prependsBos' | 'digest'> & { readonly origin: string };

/** A tokenizer from the object in a tokenizer.json. @throws model/tokenizer */
export const buildTokenizer = (json: JsonObject, traits: Traits): Tokenizer => {
  const { origin } = traits;
  const wrong = wrongInTokenizer(json);
  if (wrong !== null)
    refuse('model/tokenizer', `the tokenizer from ${origin} cannot be used: ${wrong}; get the file again`);
  const vocabSize = countIds(json, origin);
  const library = construct(json, origin);
  const decode = (ids: readonly number[]): string => {
    for (const id of ids) if (library.id_to_token(id) === undefined) refuseId(id, vocabSize);
    const options = { skip_special_tokens: false, clean_up_tokenization_spaces: false };
    return ids.length === 0 ? '' : unbroken(origin, () => library.decode([...ids], options));
  };
  return {
    ...traits,
    vocabSize,
    decode,
    // A byte without a token of its own has no id: it is dropped, as the peers do.
    encode: (text) => {
      if (/\p{Surrogate}/u.test(text))
        refuse('tokenizer/text', 'a text holds one half of a surrogate pair, which is no character; take it out');
      return unbroken(origin, () => library.encode(text, { add_special_tokens: false }).ids).filter(
        (id) => id !== undefined,
      );
    },
    tokenText(id) {
      // Said twice and once, so that a decoder that trims the beginning of a text does not trim the token.
      const text = decode([id, id]).slice(decode([id]).length);
      return text.includes('\uFFFD') ? (library.id_to_token(id) ?? text) : text;
    },
  };
};

/** The library meets some faults of a tokenizer.json only when it is used. @throws model/tokenizer */
const unbroken = <T>(origin: string, use: () => T): T => {
  try {
    return use();
  } catch (error) {
    if (error instanceof TheveninError) throw error;
    return refuse(
      'model/tokenizer',
      `the tokenizer from ${origin} breaks on a text (${(error as Error).message.split('\n')[0]}); get the file again`,
      error,
    );
  }
};

/** The kinds of model in the library; of any other it would guess. Old files do not say theirs. */
const MODELS: readonly unknown[] = ['BPE', 'WordPiece', 'Unigram', undefined];

const construct = (json: JsonObject, origin: string): Library => {
  const { type } = isObject(json['model']) ? json['model'] : {};
  if (!MODELS.includes(type))
    refuse(
      'model/tokenizer',
      `the tokenizer from ${origin} is of the kind ${String(type)}; known are BPE, WordPiece, Unigram`,
    );
  try {
    // Some writers leave these out where they are null.
    const complete = {
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      ...json,
    };
    return new Library(complete, {});
  } catch (error) {
    return refuse(
      'model/tokenizer',
      `the tokenizer from ${origin} cannot be used: ${(error as Error).message.split('\n')[0]}`,
      error,
    );
  }
};

/** One more than the largest id. @throws model/tokenizer */
const countIds = (json: JsonObject, origin: string): number => {
  const { vocab } = isObject(json['model']) ? json['model'] : {};
  const added: readonly unknown[] = Array.isArray(json['added_tokens']) ? json['added_tokens'] : [];
  const ids = [
    ...(Array.isArray(vocab) ? vocab.keys() : isObject(vocab) ? Object.values(vocab) : []),
    ...added.map((token) => (isObject(token) ? token['id'] : null)),
  ];
  let size = 0;
  for (const id of ids) {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= LARGEST_VOCABULARY)
      return refuse(
        'model/tokenizer',
        `the tokenizer from ${origin} has the token id ${String(id)}; expected whole numbers from 0`,
      );
    size = Math.max(size, (id as number) + 1);
  }
  return size;
};

/** Keeps a damaged file from asking for the impossible. */
const LARGEST_VOCABULARY = 1e7;

const refuseId = (id: number, size: number): never =>
  refuse('tokenizer/id', `${id} is not a token id; ids of this model go from 0 to ${size - 1}`);

/**
 * The tokenizer of a Hugging Face folder, or null where there is no tokenizer.json. `names` are the folder's entries.
 * @throws model/tokenizer, model/config, file/unreadable
 */
export const folderTokenizer = async (folder: string, names: readonly string[]): Promise<Tokenizer | null> => {
  const json = await readJsonIfThere(folder, names, 'tokenizer.json');
  if (!json) return null;
  const path = `${folder}/tokenizer.json`;
  const config = await readJsonIfThere(folder, names, 'tokenizer_config.json');
  const bosToken =
    tokenContent(config?.['bos_token']) ??
    tokenContent((await readJsonIfThere(folder, names, 'special_tokens_map.json'))?.['bos_token']);
  const numbered = async (name: string): Promise<unknown> =>
    (await readJsonIfThere(folder, names, name))?.['bos_token_id'];
  const bosId =
    bosToken !== null
      ? idOf(json, bosToken)
      : ((await numbered('generation_config.json')) ?? (await numbered('config.json')));
  const explicit = config?.['add_bos_token'];
  return buildTokenizer(json, {
    bosId: typeof bosId === 'number' ? bosId : null,
    prependsBos:
      typeof bosId === 'number' &&
      (typeof explicit === 'boolean' ? explicit : templateBegins(json['post_processor'], bosId, bosToken)),
    digest: await digestFiles([path]),
    origin: path,
  });
};

/** Special tokens are written as a text or as {content}. */
const tokenContent = (token: unknown): string | null => {
  const content = isObject(token) ? token['content'] : token;
  return typeof content === 'string' ? content : null;
};

const idOf = (json: JsonObject, token: string): number | null => {
  const added = Array.isArray(json['added_tokens']) ? json['added_tokens'] : [];
  const entry: unknown = added.find((candidate: unknown) => isObject(candidate) && candidate['content'] === token);
  const vocab = isObject(json['model']) ? json['model']['vocab'] : null;
  const id = isObject(entry) ? entry['id'] : isObject(vocab) ? vocab[token] : null;
  return typeof id === 'number' ? id : null;
};

/** Whether a post-processor puts the BOS token in front of a single text. */
const templateBegins = (processor: unknown, bosId: number, bosToken: string | null): boolean => {
  if (!isObject(processor)) return false;
  const { single, cls, processors } = processor;
  if (Array.isArray(processors)) return processors.some((inner) => templateBegins(inner, bosId, bosToken));
  if (Array.isArray(cls)) return cls[1] === bosId;
  const first: unknown = Array.isArray(single) ? single[0] : null;
  const special = isObject(first) && isObject(first['SpecialToken']) ? first['SpecialToken']['id'] : null;
  if (typeof special !== 'string') return false;
  const known = isObject(processor['special_tokens']) ? processor['special_tokens'][special] : null;
  const ids = isObject(known) && Array.isArray(known['ids']) ? known['ids'] : [];
  return special === bosToken || ids[0] === bosId;
};

/**
 * A vocabulary of whole words, as models made by hand have: a text is words of the vocabulary with single spaces between them.
 * @throws model/tokenizer
 */
export const wordTokenizer = (
  words: readonly unknown[],
  { bosId, origin }: { bosId: number | null; origin: string },
): Tokenizer => {
  if (!words.every((word) => typeof word === 'string'))
    return refuse('model/tokenizer', `the vocabulary in ${origin} is not a list of texts`);
  const ids = new Map(words.map((word, id) => [word, id] as const).reverse());
  const wordAt = (id: number): string => words[id] ?? refuseId(id, words.length);
  const idAt = (word: string): number =>
    ids.get(word) ??
    refuse(
      'tokenizer/text',
      `'${word}' is not in the model's vocabulary of ${words.length}; write words of it with single spaces between them, or give token ids`,
    );
  return {
    encode: (text) => (text === '' ? [] : text.split(' ').map(idAt)),
    decode: (tokens) => tokens.map(wordAt).join(' '),
    tokenText: wordAt,
    bosId,
    prependsBos: false,
    vocabSize: words.length,
    digest: createHash('sha256').update(JSON.stringify(words)).digest('hex'),
    origin,
  };
};

/** The tokenizer of a plain container: tokenizer.json beside it, else the `vocab` in its model.json. */
export const plainTokenizer = async (folder: string, names: readonly string[]): Promise<Tokenizer | null> => {
  const own = await folderTokenizer(folder, names);
  if (own) return own;
  const path = `${folder}/model.json`;
  const { vocab, bos_token: bos } = await readJson(path);
  if (vocab === undefined || vocab === null) return null;
  if (!Array.isArray(vocab)) return refuse('model/tokenizer', `'vocab' in ${path} is not a list of texts`);
  return wordTokenizer(vocab, { bosId: typeof bos === 'number' ? bos : null, origin: path });
};
