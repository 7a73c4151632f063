import { createHash } from 'node:crypto';
import { refuse } from '../../errors.js';
import type { JsonObject } from '../json-file.js';
import { buildTokenizer } from '../tokenizer.js';
import type { Tokenizer } from '../types.js';
import type { MetadataValue } from './cursor.js';
import { PRE_TOKENIZERS } from './pre-tokenizers.js';

type Metadata = ReadonlyMap<string, MetadataValue>;

/** The tokenizer in a file's metadata, or null where there is none. @throws model/tokenizer */
export const ggufTokenizer = (metadata: Metadata, path: string): Tokenizer | null => {
  const model = metadata.get('tokenizer.ggml.model');
  if (model === undefined || model === 'none') return null;
  if (model !== 'gpt2')
    return malformed(path, `its kind is '${String(model)}' where only 'gpt2' (byte-level BPE) is supported`);
  const json = tokenizerJson(metadata, path);
  const bosId = metadata.get('tokenizer.ggml.bos_token_id') ?? null;
  const prependsBos = metadata.get('tokenizer.ggml.add_bos_token') ?? false;
  return buildTokenizer(json, {
    bosId: typeof bosId === 'number' ? bosId : null,
    prependsBos: prependsBos === true && bosId !== null,
    digest: createHash('sha256').update(JSON.stringify(json)).digest('hex'),
    origin: `the metadata of ${path}`,
  });
};

const malformed = (path: string, what: string): never =>
  refuse('model/tokenizer', `the tokenizer in the metadata of ${path} cannot be used: ${what}`);

/** token_type: 3 = control (special), 4 = defined by the user; the others are ordinary. */
const CONTROL = 3;
const USER_DEFINED = 4;

const tokenizerJson = (metadata: Metadata, path: string): JsonObject => {
  const tokens = texts(metadata, 'tokenizer.ggml.tokens', path);
  const merges = texts(metadata, 'tokenizer.ggml.merges', path);
  const types = metadata.get('tokenizer.ggml.token_type') ?? [];
  const pre = String(metadata.get('tokenizer.ggml.pre') ?? 'default');
  const preTokenizer = Object.hasOwn(PRE_TOKENIZERS, pre) ? PRE_TOKENIZERS[pre] : undefined;
  if (!preTokenizer)
    malformed(path, `its pre-tokenizer is '${pre}' where only ${Object.keys(PRE_TOKENIZERS).join(', ')} are supported`);
  const added = tokens.flatMap((content, id) => {
    const type = Array.isArray(types) ? (types as readonly MetadataValue[])[id] : undefined;
    if (type !== CONTROL && type !== USER_DEFINED) return [];
    return [
      { id, content, special: type === CONTROL, single_word: false, lstrip: false, rstrip: false, normalized: false },
    ];
  });
  return {
    version: '1.0',
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: preTokenizer,
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      unk_token: null,
      byte_fallback: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
};

const texts = (metadata: Metadata, key: string, path: string): readonly string[] => {
  const list = metadata.get(key);
  if (!Array.isArray(list) || !list.every((item) => typeof item === 'string'))
    return malformed(path, `'${key}' is not a list of texts`);
  return list;
};
