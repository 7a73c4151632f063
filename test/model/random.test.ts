import { expect } from 'chai';
import { randomWeights } from '../../src/model/random.js';
import type { ModelConfig } from '../../src/model/types.js';
import { memoryWeights } from '../../src/model/weights.js';
import { refused } from '../helpers/model-files.js';

const CONFIG: ModelConfig = {
  ...{
    name: 'random',
    architecture: 'gpt2',
    nLayers: 2,
    nHeads: 4,
    nKeyValueHeads: 2,
    dModel: 64,
    dHead: 16,
    dMlp: 96,
  },
  ...{ activation: 'gelu_new', gatedMlp: true, norm: 'LN', normEps: 1e-5, positional: 'learned', rotary: null },
  ...{ attention: 'causal', attnScale: 4, parallelBlocks: false, nCtx: 32, dVocab: 300, dVocabOut: 200 },
};

const variance = (values: Float32Array): number => {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
};

describe('random weights', () => {
  const weights = randomWeights(CONFIG, 5);

  it('have every name and shape of the contract', () => {
    expect(weights.shapes.get('blocks.1.attn.W_K')).to.deep.equal([2, 64, 16]);
    expect(weights.shapes.get('blocks.0.mlp.W_gate')).to.deep.equal([64, 96]);
    expect(weights.shapes.get('pos_embed.W_pos')).to.deep.equal([32, 64]);
    expect(weights.shapes.get('unembed.b_U')).to.deep.equal([200]);
    expect(weights.shapes.size).to.equal(6 + 2 * 17);
    const attentionOnly = randomWeights({ ...CONFIG, dMlp: 0, norm: null, positional: 'none' }, 5);
    expect(attentionOnly.shapes.size).to.equal(3 + 2 * 8);
  });

  it('are the same for the same seed, others for another seed, another name', async () => {
    const query = await weights.read('blocks.0.attn.W_Q');
    expect(await randomWeights(CONFIG, 5).read('blocks.0.attn.W_Q')).to.deep.equal(query);
    expect(await randomWeights(CONFIG, 6).read('blocks.0.attn.W_Q')).to.not.deep.equal(query);
    expect(await weights.read('blocks.1.attn.W_Q')).to.not.deep.equal(query);
    expect(await weights.digest()).to.not.equal(await randomWeights(CONFIG, 6).digest());
  });

  it('rows and columns are those of the whole', async () => {
    for (const [name, height, width] of [
      ['embed.W_E', 300, 64],
      ['unembed.W_U', 64, 200],
      ['blocks.0.mlp.W_in', 64, 96],
    ] as const) {
      const whole = await weights.read(name);
      expect(await weights.rows(name, [height - 1])).to.deep.equal(whole.slice((height - 1) * width));
      expect(await weights.columns(name, [width - 1])).to.deep.equal(whole.filter((_, i) => i % width === width - 1));
    }
  });

  it('keep activations of order 1: variance 1 / fan-in, less where the residual stream is written', async () => {
    expect(variance(await weights.read('embed.W_E'))).to.be.closeTo(1, 0.05);
    expect(64 * variance(await weights.read('blocks.0.attn.W_Q'))).to.be.closeTo(1, 0.1);
    expect(64 * 4 * variance(await weights.read('blocks.1.attn.W_O'))).to.be.closeTo(1, 0.1);
    expect(96 * 4 * variance(await weights.read('blocks.1.mlp.W_out'))).to.be.closeTo(1, 0.1);
    const norm = await weights.read('ln_final.w');
    expect(norm.reduce((sum, x) => sum + x, 0) / norm.length).to.be.closeTo(1, 0.05);
  });
});

describe('weights in memory', () => {
  const weights = memoryWeights({ 'embed.W_E': { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) } });

  it('answer rows and columns', async () => {
    expect([...(await weights.rows('embed.W_E', [1, 0]))]).to.deep.equal([4, 5, 6, 1, 2, 3]);
    expect([...(await weights.columns('embed.W_E', [2, 2]))]).to.deep.equal([3, 6, 3, 6]);
    expect(weights.shapes.get('embed.W_E')).to.deep.equal([2, 3]);
  });

  it('digest names, shapes and values', async () => {
    const other = memoryWeights({ 'embed.W_E': { shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) } });
    expect(await other.digest()).to.not.equal(await weights.digest());
  });

  it('refuse a name and an index that are not there', async () => {
    await refused(weights.read('unembed.W_U'), 'weights/missing', 'unembed.W_U');
    await refused(
      Promise.resolve().then(() => weights.rows('embed.W_E', [2])),
      'tokenizer/id',
      '0 to 1',
    );
  });
});
