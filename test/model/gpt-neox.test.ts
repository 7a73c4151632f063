/** GPT-NeoX folders: what their settings mean and where their weights lie. */
import { copyFileSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { loadModel } from '../../src/model/load.js';
import type { Model } from '../../src/model/types.js';
import { golden, inTemporaryFolder, refused, writeFiles } from '../helpers/model-files.js';
import { readTensor } from '../helpers/safetensors.js';

type Json = Record<string, unknown>;

const using = async (path: string, use: (model: Model) => Promise<void> | void): Promise<void> => {
  const model = await loadModel(path);
  try {
    await use(model);
  } finally {
    await model.dispose();
  }
};

/** The golden model with its settings changed; undefined takes one out. */
const withSettings = (change: Json, use: (model: Model) => void = () => undefined) =>
  inTemporaryFolder(async (folder) => {
    const own = JSON.parse(readFileSync(golden('architectures/gpt_neox/config.json'), 'utf8')) as Json;
    writeFiles(folder, { 'config.json': { ...own, ...change } });
    copyFileSync(golden('architectures/gpt_neox/model.safetensors'), `${folder}/model.safetensors`);
    await using(folder, use);
  });

describe('GPT-NeoX', () => {
  it('has parallel blocks, a rotary embedding on part of each head, gelu with erf and a head of its own', () =>
    using(golden('architectures/gpt_neox'), async ({ config, weights }) => {
      expect(config).to.deep.include({ nLayers: 3, nHeads: 4, dHead: 12, dMlp: 120, activation: 'gelu', norm: 'LN' });
      expect(config).to.deep.include({
        parallelBlocks: true,
        rotary: { base: 10000, dims: 6, adjacentPairs: false },
        attnScale: Math.sqrt(12),
      });
      const head = readTensor(golden('architectures/gpt_neox/model.safetensors'), 'embed_out.weight'); // [320, 48]
      expect((await weights.read('unembed.W_U'))[7 * 320 + 300]).to.equal(head[300 * 48 + 7]);
    }));

  it('keeps query, key and value of a head together in one matrix', () =>
    using(golden('architectures/gpt_neox'), async ({ weights }) => {
      const stored = (part: string) =>
        readTensor(
          golden('architectures/gpt_neox/model.safetensors'),
          `gpt_neox.layers.1.attention.query_key_value.${part}`,
        );
      // head 2, key, dimension 3 is row (2·3 + 1)·12 + 3 of [144, 48]
      const row = (2 * 3 + 1) * 12 + 3;
      expect((await weights.read('blocks.1.attn.W_K'))[(2 * 48 + 5) * 12 + 3]).to.equal(stored('weight')[row * 48 + 5]);
      expect((await weights.read('blocks.1.attn.b_K'))[2 * 12 + 3]).to.equal(stored('bias')[row]);
    }));

  it('has sequential blocks where the file says so', () =>
    using(golden('architectures/gpt_neox-sequential'), ({ config }) => {
      expect(config).to.deep.include({ parallelBlocks: false, dHead: 8 });
      expect(config.rotary?.dims).to.equal(2);
    }));

  const silent = {
    rotary_pct: undefined,
    rotary_emb_base: undefined,
    rope_theta: undefined,
    partial_rotary_factor: undefined,
  };

  it('reads the rotary embedding from older and newer settings', async () => {
    const older = { ...silent, rotary_pct: 0.5, rotary_emb_base: 500 };
    const newer = { ...silent, rope_parameters: { rope_theta: 500, partial_rotary_factor: 0.5, rope_type: 'default' } };
    for (const settings of [older, newer])
      await withSettings(settings, ({ config }) => expect(config.rotary).to.include({ base: 500, dims: 6 }));
    await withSettings({ ...silent, rotary_pct: 1 / 3 }, ({ config }) =>
      expect(config.rotary).to.include({ base: 10000, dims: 4 }),
    );
  });

  const refusals: Json[] = [
    { rope_theta: 20000 },
    { partial_rotary_factor: 0.25 },
    { rope_parameters: { rope_theta: 20000 } },
    { rope_parameters: { rope_type: 'yarn' } },
    { rope_parameters: { rope_type: 'default', factor: 2 } },
    { rope_scaling: { type: 'linear', factor: 2 } },
    { ...silent, rotary_pct: 0.25 }, // 3 of 12 dimensions
    { hidden_act: 'gelu_10' },
    { num_attention_heads: 5 },
    { shared_norm: true },
  ];
  for (const change of refusals)
    it(`refuses ${JSON.stringify(change)}`, () => refused(withSettings(change), 'model/config', 'config.json'));
});
