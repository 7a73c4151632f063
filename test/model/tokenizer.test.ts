import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { loadModel } from '../../src/model/load.js';
import { buildTokenizer, folderTokenizer, wordTokenizer } from '../../src/model/tokenizer.js';
import type { Tokenizer } from '../../src/model/types.js';
import { TheveninError } from '../../src/errors.js';
import { golden, inTemporaryFolder, refused, writeFiles } from '../helpers/model-files.js';
import { sharedPath, skipWithout, smollm2Dir } from '../helpers/shared.js';

interface Row {
  readonly text: string;
  readonly ids: number[];
  readonly decoded?: string;
}

const rows = (path: string, key?: string): Row[] => {
  const json = JSON.parse(readFileSync(path, 'utf8')) as Row[] & Record<string, Row[]>;
  return key === undefined ? json : json[key]!;
};

const tokenizerOf = async (path: string): Promise<Tokenizer> => {
  const model = await loadModel(path);
  await model.dispose();
  return model.tokenizer!;
};

const SMOLLM2_ROWS = golden('smollm2-135m/tokenizer-rows.json');

const reproduces = (tokenizer: Tokenizer, expected: readonly Row[]): void => {
  for (const { text, ids, decoded } of expected) {
    expect(tokenizer.encode(text), JSON.stringify(text)).to.deep.equal(ids);
    if (decoded !== undefined) expect(tokenizer.decode(ids)).to.equal(decoded);
  }
};

describe('tokenizers', () => {
  for (const source of ['llama', 'gpt2', 'llama-gguf/llama-Q4_0.gguf', 'gpt2-gguf/gpt2-F32.gguf'])
    it(`architecture goldens from ${source}: ids and text`, async () =>
      reproduces(
        await tokenizerOf(golden('architectures', source)),
        rows(golden('architectures/llama/golden.json'), 'tokenization'),
      ));

  it('SmolLM2 from its tokenizer.json: the 60 rows', async function () {
    const folder = skipWithout(this, sharedPath('models', 'smollm2-135m'), "SmolLM2's tokenizer is not here");
    const tokenizer = await folderTokenizer(folder, ['tokenizer.json', 'tokenizer_config.json', 'config.json']);
    expect(tokenizer).to.deep.include({ bosId: 1, prependsBos: false, vocabSize: 49152 });
    reproduces(tokenizer!, rows(SMOLLM2_ROWS));
  });

  it("SmolLM2 from its GGUF file's metadata: the 60 rows, digits one by one", async function () {
    const folder = skipWithout(this, smollm2Dir(), 'SmolLM2-135M-Instruct is not here');
    const tokenizer = await tokenizerOf(folder);
    expect(tokenizer.origin).to.include('metadata');
    expect(tokenizer).to.deep.include({ bosId: 1, prependsBos: false, vocabSize: 49152 });
    reproduces(tokenizer, rows(SMOLLM2_ROWS));
    expect(tokenizer.encode(' 1234').map(tokenizer.tokenText)).to.deep.equal([' ', '1', '2', '3', '4']);
  });

  it('no ids are no text', async () => {
    const tokenizer = await tokenizerOf(golden('architectures/llama'));
    expect(tokenizer.decode([])).to.equal('');
    expect(tokenizer.encode('')).to.deep.equal([]);
  });

  it('an id beyond the vocabulary is refused', async () => {
    const tokenizer = await tokenizerOf(golden('architectures/llama'));
    for (const id of [320, -1, 1.5]) expect(() => tokenizer.decode([id])).to.throw(TheveninError, '319');
  });

  it("a token's text keeps its leading space; part of a character shows its bytes", async () => {
    const tokenizer = await tokenizerOf(golden('architectures/llama'));
    expect(tokenizer.tokenText(tokenizer.encode(' the')[0]!)).to.equal(' the');
    const [half] = tokenizer.encode('é');
    expect(tokenizer.tokenText(half!)).to.match(/^\S+$/).and.not.include('\uFFFD');
  });

  describe('BOS', () => {
    const model = { type: 'BPE', vocab: { '<s>': 0, a: 1, '</s>': 2 }, merges: [] };
    const template = {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] } },
    };
    const read = (json: object, files: Record<string, object> = {}) =>
      inTemporaryFolder(async (folder) => {
        const all = { 'tokenizer.json': { model, ...json }, ...files };
        writeFiles(folder, all);
        return (await folderTokenizer(folder, Object.keys(all)))!;
      });

    it('is prepended where the template begins with it, and encode still gives the text alone', async () => {
      const tokenizer = await read(
        { post_processor: template },
        { 'tokenizer_config.json': { bos_token: { content: '<s>' } } },
      );
      expect(tokenizer).to.include({ bosId: 0, prependsBos: true });
      expect(tokenizer.encode('a')).to.deep.equal([1]);
    });

    it('is prepended where the template is one of a sequence', async () => {
      const sequence = { type: 'Sequence', processors: [{ type: 'ByteLevel', trim_offsets: true }, template] };
      const tokenizer = await read({ post_processor: sequence }, { 'special_tokens_map.json': { bos_token: '<s>' } });
      expect(tokenizer).to.include({ bosId: 0, prependsBos: true });
    });

    it('add_bos_token says more than the template', async () => {
      const config = (add: boolean) => ({ 'tokenizer_config.json': { bos_token: '<s>', add_bos_token: add } });
      expect(await read({ post_processor: template }, config(false))).to.include({ prependsBos: false });
      expect(await read({ post_processor: null }, config(true))).to.include({ prependsBos: true });
    });

    it('is looked for in the generation config and then in the config, by its id', async () => {
      const generation = { 'generation_config.json': { bos_token_id: 2 } };
      const config = { 'config.json': { bos_token_id: 0 } };
      expect(await read({}, { ...generation, ...config })).to.include({ bosId: 2 });
      expect(await read({}, config)).to.include({ bosId: 0, prependsBos: false });
      expect(await read({})).to.include({ bosId: null, prependsBos: false });
    });
  });

  describe('vocabularies of whole words', () => {
    const words = wordTokenizer(['<bos>', 'a', 'b', 'a'], { bosId: 0, origin: 'model.json' });

    it('split a text at single spaces; the first of equal words counts', () => {
      expect(words.encode('<bos> a b')).to.deep.equal([0, 1, 2]);
      expect(words.decode([0, 3, 2])).to.equal('<bos> a b');
      expect(words.tokenText(2)).to.equal('b');
    });

    it('refuse a text with another word, and an id that is none', () => {
      expect(() => words.encode('a c')).to.throw(TheveninError, "'c'");
      expect(() => words.encode('a  b')).to.throw(TheveninError, "''");
      expect(() => words.decode([4])).to.throw(TheveninError, '3');
    });
  });

  describe('a tokenizer.json that cannot be used is refused', () => {
    const traits = { bosId: null, prependsBos: false, digest: '', origin: 'here' };
    const model = { type: 'BPE', vocab: { a: 0 }, merges: [] };
    const bad: Record<string, object> = {
      'an unknown model': { model: { type: 'Neural', vocab: { a: 0 } } },
      'an unknown pre-tokenizer': { model, pre_tokenizer: { type: 'Magic' } },
      'no model': {},
      'an absurd id': { model, added_tokens: [{ id: 2 ** 31, content: 'x', special: true }] },
      'an id that is text': { model: { ...model, vocab: { a: '0' } } },
    };
    for (const [what, json] of Object.entries(bad))
      it(what, () =>
        refused(
          Promise.resolve().then(() => buildTokenizer({ ...json }, traits)),
          'model/tokenizer',
          'here',
        ),
      );
  });
});
