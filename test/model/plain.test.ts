import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { loadModel } from '../../src/model/load.js';
import type { Model } from '../../src/model/types.js';
import { filledSafetensors, golden, inTemporaryFolder, refused, writeFiles } from '../helpers/model-files.js';
import { readTensor } from '../helpers/safetensors.js';
import { sharedPath, skipWithout } from '../helpers/shared.js';

const using = async <T>(path: string, use: (model: Model) => Promise<T>): Promise<T> => {
  const model = await loadModel(path);
  try {
    return await use(model);
  } finally {
    await model.dispose();
  }
};

const CONFIG = {
  model: 'tiny',
  n_layers: 1,
  n_heads: 2,
  d_model: 4,
  d_head: 3,
  n_ctx: 5,
  d_vocab: 6,
  attention_dir: 'causal',
  positional_embedding_type: 'none',
  normalization_type: null,
};
const ATTENTION_ONLY = {
  'embed.W_E': [6, 4],
  'blocks.0.attn.W_Q': [2, 4, 3],
  'blocks.0.attn.W_K': [2, 4, 3],
  'blocks.0.attn.W_V': [2, 4, 3],
  'blocks.0.attn.W_O': [2, 3, 4],
  'unembed.W_U': [4, 6],
};

interface Container {
  readonly config?: object;
  readonly tensors?: Record<string, readonly number[]>;
  readonly notes?: object;
  readonly beside?: Record<string, object>;
}

const container = (
  { config = {}, tensors = ATTENTION_ONLY, notes = {}, beside = {} }: Container,
  use: (model: Model) => Promise<unknown> = async () => undefined,
): Promise<void> =>
  inTemporaryFolder(async (folder) => {
    writeFiles(folder, {
      'model.json': { config: { ...CONFIG, ...config }, ...notes },
      'model.safetensors': filledSafetensors(tensors),
      ...beside,
    });
    await using(folder, use);
  });

describe('plain containers', () => {
  it('or-gate: no norm, bidirectional, relu, two outputs over ten inputs, biases', () =>
    using(golden('ground-truth/or-gate'), async ({ config, weights, tokenizer }) => {
      expect(config).to.deep.equal({
        ...{
          name: 'or-gate',
          architecture: 'plain',
          nLayers: 2,
          nHeads: 3,
          nKeyValueHeads: 3,
          dModel: 20,
          dHead: 4,
          dMlp: 4,
        },
        ...{ activation: 'relu', gatedMlp: false, norm: null, normEps: 1e-5, positional: 'learned', rotary: null },
        ...{ attention: 'bidirectional', attnScale: 2, parallelBlocks: false, nCtx: 5, dVocab: 10, dVocabOut: 2 },
      });
      expect(await weights.read('unembed.b_U')).to.deep.equal(
        readTensor(golden('ground-truth/or-gate/model.safetensors'), 'unembed.b_U'),
      );
      expect([...weights.shapes.keys()].filter((name) => name.includes('ln'))).to.deep.equal([]);
      expect(tokenizer?.encode('<bos> a h')).to.deep.equal([0, 2, 9]);
      expect(tokenizer?.bosId).to.equal(0);
    }));

  it('reverse: absent biases are absent, the attention scale is taken as it is', () =>
    using(golden('ground-truth/reverse'), async ({ config, weights }) => {
      expect(config).to.include({ nLayers: 4, attnScale: 3.4641016151377544, dVocab: 5, dVocabOut: 3 });
      expect([...weights.shapes.keys()].filter((name) => name.includes('.b_'))).to.deep.equal([]);
    }));

  for (const name of ['babyllama105', 'llmviz-nano-sort', 'periodic-shortcut', 'stories260K'])
    it(`${name}: every tensor of the file is a weight, unchanged`, async function () {
      const folder = skipWithout(this, sharedPath('models', name), 'the example models are not here');
      const notes = JSON.parse(readFileSync(`${folder}/model.json`, 'utf8')) as { params: number };
      await using(folder, async ({ weights, config, tokenizer }) => {
        let values = 0;
        for (const weight of weights.shapes.keys()) {
          const read = await weights.read(weight);
          expect(read).to.deep.equal(readTensor(`${folder}/model.safetensors`, weight));
          values += read.length;
        }
        expect(values).to.equal(notes.params);
        expect(tokenizer?.vocabSize ?? null).to.equal(name === 'periodic-shortcut' ? null : config.dVocab);
      });
    });

  describe('attention-only models', () => {
    for (const dMlp of [0, null, undefined])
      it(`d_mlp ${dMlp === undefined ? 'absent' : String(dMlp)}`, () =>
        container({ config: { d_mlp: dMlp } }, async ({ config, weights }) => {
          expect(config).to.include({ dMlp: 0, norm: null, positional: 'none', attnScale: Math.sqrt(3) });
          expect([...weights.shapes.keys()]).to.have.members(Object.keys(ATTENTION_ONLY));
        }));
  });

  it('a tied container without its own unembedding answers it from the embedding', () => {
    const { 'unembed.W_U': _, ...untied } = ATTENTION_ONLY;
    return container({ config: { tie_word_embeddings: true }, tensors: untied }, async ({ weights }) =>
      expect(weights.shapes.get('unembed.W_U')).to.deep.equal([4, 6]),
    );
  });

  it('partial rotary, in either pairing', () =>
    container(
      {
        config: { d_head: 4, positional_embedding_type: 'rotary', rotary_dim: 2, rotary_adjacent_pairs: true },
        tensors: {
          ...ATTENTION_ONLY,
          'blocks.0.attn.W_Q': [2, 4, 4],
          'blocks.0.attn.W_K': [2, 4, 4],
          'blocks.0.attn.W_V': [2, 4, 4],
          'blocks.0.attn.W_O': [2, 4, 4],
        },
      },
      async ({ config }) => expect(config.rotary).to.deep.equal({ base: 10000, dims: 2, adjacentPairs: true }),
    ));

  it("a tokenizer.json beside it is used before the container's own vocabulary", () =>
    container(
      {
        notes: { vocab: ['x'] },
        beside: { 'tokenizer.json': { model: { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] } } },
      },
      async ({ tokenizer }) => expect(tokenizer?.vocabSize).to.equal(2),
    ));

  const bad: Record<string, [Container, Parameters<typeof refused>[1], string]> = {
    'padding keys that are masked': [{ config: { key_pad_token: 4 } }, 'model/config', 'key_pad_token'],
    'a setting that nobody here knows': [{ config: { window_size: 8 } }, 'model/config', 'window_size'],
    'an unknown norm': [{ config: { normalization_type: 'LNPre' } }, 'model/config', 'LNPre'],
    'an unknown activation': [{ config: { d_mlp: 8, act_fn: 'solu_ln' } }, 'model/config', 'solu_ln'],
    'MLPs without an activation': [{ config: { d_mlp: 8 } }, 'model/config', 'act_fn'],
    'MLPs without matrices': [{ config: { d_mlp: 8, act_fn: 'relu' } }, 'weights/missing', 'blocks.0.mlp.W_in'],
    'norms in the file but not in the config': [
      { tensors: { ...ATTENTION_ONLY, 'ln_final.w': [4] } },
      'weights/unexpected',
      'ln_final.w',
    ],
    'positions in the file but not in the config': [
      { tensors: { ...ATTENTION_ONLY, 'pos_embed.W_pos': [5, 4] } },
      'weights/unexpected',
      'W_pos',
    ],
    'odd rotary': [{ config: { positional_embedding_type: 'rotary', rotary_dim: 3 } }, 'model/config', '3 of 3'],
    'more words than embeddings': [{ notes: { vocab: [...'abcdefg'] } }, 'model/vocabulary', '7 ids'],
    'a vocabulary that is no list': [{ notes: { vocab: 'abc' } }, 'model/tokenizer', 'vocab'],
  };
  for (const [what, [made, code, piece]] of Object.entries(bad))
    it(`${what}: refused`, () => refused(container(made), code, piece));

  it('a model.json without a config is refused', () =>
    inTemporaryFolder(async (folder) => {
      writeFiles(folder, { 'model.json': {} });
      await refused(loadModel(folder), 'model/config', "'config'");
    }));
});
