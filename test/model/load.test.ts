import { mkdirSync } from 'node:fs';
import { expect } from 'chai';
import { bundledModels, loadModel } from '../../src/model/load.js';
import {
  filledSafetensors,
  golden,
  inTemporaryFolder,
  refused,
  safetensorsBytes,
  writeFiles,
  floatBytes,
} from '../helpers/model-files.js';

describe('loadModel: what lies there decides', () => {
  const cases: Record<string, string> = {
    'ground-truth/or-gate': 'plain',
    'architectures/gpt2': 'gpt2',
    'architectures/llama-sharded': 'llama',
    'architectures/llama-gguf/llama-Q8_0.gguf': 'llama',
    'architectures/gpt2-gguf/gpt2-Q4_1.gguf': 'gpt2',
    'architectures/llama/': 'llama',
  };
  for (const [path, architecture] of Object.entries(cases))
    it(path, async () => {
      const model = await loadModel(golden(path));
      expect(model.config.architecture).to.equal(architecture);
      expect(model.source).to.equal(golden(path));
      await model.dispose();
    });

  it('the models that come with the package are known by name', async () => {
    for (const { name, path } of bundledModels()) {
      const model = await loadModel(name);
      expect(model.source).to.equal(name);
      expect(path).to.match(new RegExp(`models/${name}$`));
      await model.dispose();
    }
  });

  it('a path that is not there', () => refused(loadModel('/nowhere/model'), 'file/missing', '/nowhere/model'));

  it('a folder with nothing that is a model says what would be one', () =>
    inTemporaryFolder((folder) =>
      refused(loadModel(folder), 'model/unrecognised', 'model.json', 'config.json', '.gguf'),
    ));

  it('a folder with two GGUF files', () =>
    refused(loadModel(golden('architectures/llama-gguf')), 'model/unrecognised', 'exactly one'));

  it('a PyTorch checkpoint gets a hint', () =>
    inTemporaryFolder(async (folder) => {
      writeFiles(folder, { 'config.json': {}, 'pytorch_model.bin': '' });
      await refused(loadModel(folder), 'model/unrecognised', 'converted to safetensors');
    }));

  it('a container without its weights names the file', () =>
    inTemporaryFolder(async (folder) => {
      writeFiles(folder, { 'model.json': { config: { model: 'x' } } });
      await refused(loadModel(folder), 'file/missing', 'model.safetensors');
    }));

  it('a folder where a weight file should be', () =>
    inTemporaryFolder(async (folder) => {
      writeFiles(folder, { 'config.json': { model_type: 'gpt2' } });
      mkdirSync(`${folder}/model.safetensors`);
      await refused(loadModel(folder), 'file/unreadable', 'model.safetensors');
    }));

  it('a config that is not JSON', () =>
    inTemporaryFolder(async (folder) => {
      writeFiles(folder, { 'config.json': '{"model_type": ', 'model.safetensors': filledSafetensors({ a: [1] }) });
      await refused(loadModel(folder), 'model/config', 'config.json', 'not JSON');
    }));

  it("a tokenizer with ids beyond the embedding's rows", () =>
    inTemporaryFolder(async (folder) => {
      const { readFileSync } = await import('node:fs');
      const json = JSON.parse(readFileSync(golden('architectures/llama/tokenizer.json'), 'utf8')) as {
        added_tokens: object[];
      };
      json.added_tokens.push({ id: 320, content: '<new>', special: true });
      writeFiles(folder, {
        'config.json': readFileSync(golden('architectures/llama/config.json')),
        'model.safetensors': readFileSync(golden('architectures/llama/model.safetensors')),
        'tokenizer.json': json,
      });
      await refused(loadModel(folder), 'model/vocabulary', '321 ids', '320');
    }));

  describe('only the headers are read at first', () => {
    const config = { model: 'x', n_layers: 1, n_heads: 1, d_model: 1, n_ctx: 2, d_vocab: 2 };
    const shapes = {
      'embed.W_E': [2, 1],
      'blocks.0.attn.W_Q': [1, 1, 1],
      'blocks.0.attn.W_K': [1, 1, 1],
      'blocks.0.attn.W_V': [1, 1, 1],
      'blocks.0.attn.W_O': [1, 1, 1],
      'unembed.W_U': [1, 2],
    };
    const header = (): Record<string, object> => {
      let at = 0;
      return Object.fromEntries(
        Object.entries(shapes).map(([name, shape]) => {
          const begin = at;
          at += 4 * shape.reduce((product, size) => product * size, 1);
          return [name, { dtype: 'F32', shape, data_offsets: [begin, at] }];
        }),
      );
    };
    for (const bad of [NaN, Infinity, -Infinity])
      it(`a weight that is ${bad} is refused when it is read, by name; the others are not touched`, () =>
        inTemporaryFolder(async (folder) => {
          writeFiles(folder, {
            'model.json': { config },
            'model.safetensors': safetensorsBytes(header(), floatBytes(1, 2, 3, bad, 5, 6, 7, 8)),
          });
          const { weights, dispose } = await loadModel(folder);
          await refused(weights.read('blocks.0.attn.W_K'), 'weights/non-finite', 'blocks.0.attn.W_K', String(bad));
          expect([...(await weights.read('embed.W_E'))]).to.deep.equal([1, 2]);
          expect([...(await weights.columns('unembed.W_U', [1]))]).to.deep.equal([8]);
          await refused(weights.read('blocks.9.attn.W_K'), 'weights/missing', 'blocks.9.attn.W_K');
          await dispose();
        }));
  });
});
