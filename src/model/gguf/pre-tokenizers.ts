/** How text is cut before merging, by `tokenizer.ggml.pre`, as tokenizer.json writes it. A new one is one line. */
const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const digitsThenByteLevel = {
  type: 'Sequence',
  pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel],
};

export const PRE_TOKENIZERS: Readonly<Record<string, object>> = {
  default: byteLevel,
  'gpt-2': byteLevel,
  smollm: digitsThenByteLevel,
};
