import { copyFileSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { loadModel } from '../../src/model/load.js';
import type { Model } from '../../src/model/types.js';
import {
  filledSafetensors,
  golden,
  inTemporaryFolder,
  refused,
  safetensorsBytes,
  writeFiles,
} from '../helpers/model-files.js';
import { readTensor } from '../helpers/safetensors.js';

const using = async <T>(path: string, use: (model: Model) => Promise<T>): Promise<T> => {
  const model = await loadModel(path);
  try {
    return await use(model);
  } finally {
    await model.dispose();
  }
};

type Json = Record<string, unknown>;
const configOf = (family: string): Json =>
  JSON.parse(readFileSync(golden('architectures', family, 'config.json'), 'utf8')) as Json;

/** The golden model with another config.json. */
const withConfig = (family: string, change: Json, use: (model: Model) => Promise<unknown> = async () => undefined) =>
  inTemporaryFolder(async (folder) => {
    writeFiles(folder, { 'config.json': { ...configOf(family), ...change } });
    copyFileSync(golden('architectures', family, 'model.safetensors'), `${folder}/model.safetensors`);
    await using(folder, use);
  });

/** Half precision to nearest, ties to even, for values in its normal range. */
const nearestHalf = (value: number): number => {
  const unit = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(value)))) - 10);
  const steps = value / unit;
  const rounded = Math.round(steps);
  return (Math.abs(steps % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded) * unit;
};

describe('Hugging Face folders', () => {
  it("gpt2: the fused projection is cut into heads, the tied head is the embedding's transpose", () =>
    using(golden('architectures/gpt2'), async ({ config, weights }) => {
      expect(config).to.deep.include({
        nLayers: 3,
        nHeads: 4,
        dHead: 8,
        dMlp: 128,
        activation: 'gelu_new',
        norm: 'LN',
      });
      expect(config).to.deep.include({ positional: 'learned', rotary: null, attnScale: Math.sqrt(8), gatedMlp: false });
      const fused = readTensor(golden('architectures/gpt2/model.safetensors'), 'transformer.h.1.attn.c_attn.weight');
      const value = await weights.read('blocks.1.attn.W_V'); // [4, 32, 8]
      // head 2, input 5, dimension 3 is row 5, column 2·32 + 2·8 + 3 of [32, 96]
      expect(value[(2 * 32 + 5) * 8 + 3]).to.equal(fused[5 * 96 + 64 + 16 + 3]);
      const embedding = await weights.read('embed.W_E');
      const unembedding = await weights.read('unembed.W_U');
      expect(unembedding[7 * 320 + 300]).to.equal(embedding[300 * 32 + 7]);
    }));

  it('llama: [out, in] matrices are transposed and cut into heads; grouped key-value heads are kept', () =>
    using(golden('architectures/llama'), async ({ config, weights }) => {
      expect(config).to.deep.include({
        nHeads: 4,
        nKeyValueHeads: 2,
        dHead: 8,
        activation: 'silu',
        gatedMlp: true,
        norm: 'RMS',
      });
      expect(config.rotary).to.deep.equal({ base: 10000, dims: 8, adjacentPairs: false });
      const stored = readTensor(
        golden('architectures/llama/model.safetensors'),
        'model.layers.2.self_attn.k_proj.weight',
      );
      const key = await weights.read('blocks.2.attn.W_K'); // [2, 32, 8]
      expect(weights.shapes.get('blocks.2.attn.W_K')).to.deep.equal([2, 32, 8]);
      expect(key[(1 * 32 + 5) * 8 + 3]).to.equal(stored[(8 + 3) * 32 + 5]);
      expect(weights.shapes.has('blocks.0.attn.b_Q')).to.equal(false);
    }));

  it('F16 and BF16 files hold the rounded weights, shards the same ones', async () => {
    const bits = new DataView(new ArrayBuffer(4));
    const nearestBrain = (value: number): number => {
      bits.setFloat32(0, value);
      const word = bits.getUint32(0);
      bits.setUint32(0, ((word + 0x7fff + ((word >>> 16) & 1)) >>> 16) << 16);
      return bits.getFloat32(0);
    };
    const rounding = {
      'llama-f16': nearestHalf,
      'llama-bf16': nearestBrain,
      'llama-sharded': (value: number) => value,
    };
    await using(golden('architectures/llama'), async ({ weights: exact }) => {
      for (const [name, round] of Object.entries(rounding))
        await using(golden('architectures', name), async ({ weights }) => {
          expect([...weights.shapes.keys()]).to.have.members([...exact.shapes.keys()]);
          for (const weight of exact.shapes.keys())
            expect(await weights.read(weight), `${name} ${weight}`).to.deep.equal(
              (await exact.read(weight)).map(round),
            );
        });
    });
  });

  it('rows and columns are those of the whole matrix, in any order and repeated', () =>
    using(golden('architectures/llama'), async ({ weights }) => {
      for (const name of ['embed.W_E', 'unembed.W_U', 'blocks.0.mlp.W_out', 'blocks.0.attn.W_Q']) {
        const whole = await weights.read(name);
        const shape = weights.shapes.get(name)!;
        const width = shape.at(-1)!;
        const rest = whole.length / shape[0]!;
        const rows = await weights.rows(name, [3, 0, 3, 1]);
        [3, 0, 3, 1].forEach((row, i) =>
          expect(rows.slice(i * rest, (i + 1) * rest), name).to.deep.equal(whole.slice(row * rest, (row + 1) * rest)),
        );
        const columns = await weights.columns(name, [7, 2, 7]);
        const height = whole.length / width;
        [7, 2, 7].forEach((column, i) =>
          expect(columns.slice(i * height, (i + 1) * height), name).to.deep.equal(
            whole.filter((_, at) => at % width === column),
          ),
        );
      }
      await refused(weights.rows('embed.W_E', [320]), 'tokenizer/id', '319');
    }));

  it('the digest is the SHA-256 of the file', () =>
    using(golden('architectures/llama'), async ({ weights }) => {
      const { createHash } = await import('node:crypto');
      const bytes = readFileSync(golden('architectures/llama/model.safetensors'));
      expect(await weights.digest()).to.equal(createHash('sha256').update(bytes).digest('hex'));
    }));

  describe('a setting that our arithmetic does not cover is refused, never ignored', () => {
    const settings: [string, Json][] = [
      ['llama', { rope_scaling: { rope_type: 'llama3', factor: 8 } }],
      ['llama', { rope_parameters: { rope_type: 'yarn', rope_theta: 10000 } }],
      ['llama', { sliding_window: 4 }],
      ['llama', { mlp_bias: true }],
      ['llama', { hidden_act: 'quick_gelu' }],
      ['llama', { quantization_config: { quant_method: 'gptq' } }],
      ['llama', { attention_multiplier: 0.5 }],
      ['llama', { num_key_value_heads: 3 }],
      ['llama', { hidden_size: 32.5 }],
      ['llama', { num_hidden_layers: 1e12 }],
      ['gpt2', { scale_attn_by_inverse_layer_idx: true }],
      ['gpt2', { activation_function: 'tanh' }],
      ['gpt2', { add_cross_attention: true }],
      ['gpt2', { n_head: 5 }],
    ];
    for (const [family, change] of settings)
      it(`${family} ${JSON.stringify(change)}`, () =>
        refused(withConfig(family, change), 'model/config', 'config.json'));
  });

  it('settings that change nothing pass', () =>
    withConfig(
      'llama',
      { rope_scaling: { rope_type: 'default' }, rope_theta: 5e5, use_cache: false, attention_dropout: 0.1 },
      async ({ config }) => expect(config.rotary?.base).to.equal(5e5),
    ));

  it('what published checkpoints carry along passes', async () => {
    const alongGpt2 = {
      ...{ n_ctx: 64, attn_pdrop: 0.1, initializer_range: 0.02, summary_type: 'cls_index', _num_labels: 1 },
      ...{
        task_specific_params: { 'text-generation': { do_sample: true, max_length: 50 } },
        id2label: { 0: 'LABEL_0' },
      },
    };
    await withConfig('gpt2', alongGpt2);
    const alongLlama = {
      ...{
        is_llama_config: true,
        rope_interleaved: false,
        pretraining_tp: 1,
        torch_dtype: 'bfloat16',
        pad_token_id: 2,
      },
      'transformers.js_config': { kv_cache_dtype: { q4f16: 'float16' } },
    };
    await withConfig('llama', alongLlama);
    await refused(withConfig('llama', { rope_interleaved: true }), 'model/config', 'rope_interleaved');
  });

  it('unscaled attention of gpt2 is a scale of 1; every gelu variant is known by its formula', async () => {
    await withConfig('gpt2', { scale_attn_weights: false, activation_function: 'gelu' }, async ({ config }) =>
      expect(config).to.include({ attnScale: 1, activation: 'gelu' }),
    );
    await withConfig('gpt2', { activation_function: 'gelu_pytorch_tanh' }, async ({ config }) =>
      expect(config.activation).to.equal('gelu_new'),
    );
  });

  it('an architecture that is not known is refused, with those that are', () =>
    refused(withConfig('llama', { model_type: 'mamba' }), 'model/architecture', "'mamba'", 'gpt2, gpt_neox, llama'));

  it('biases that the config announces must be there', () =>
    refused(withConfig('llama', { attention_bias: true }), 'weights/missing', 'q_proj.bias'));

  it("a config that does not fit the file's shapes is refused", () =>
    refused(withConfig('llama', { intermediate_size: 97 }), 'weights/shape', 'mlp', '[96, 32]', '[97, 32]'));

  it('weights for which there is no place are refused: fewer layers in the config than in the file', () =>
    refused(withConfig('llama', { num_hidden_layers: 2 }), 'weights/unexpected', 'layers.2'));

  describe('shards', () => {
    const sharded = (files: Record<string, string | Buffer | object>) =>
      inTemporaryFolder(async (folder) => {
        writeFiles(folder, { 'config.json': configOf('llama'), ...files });
        await using(folder, async () => undefined);
      });
    const index = (map: object) => ({ 'model.safetensors.index.json': { weight_map: map } });

    it('a tensor that is not where the index says', () =>
      refused(
        sharded({
          ...index({ a: 's.safetensors', b: 's.safetensors' }),
          's.safetensors': filledSafetensors({ a: [1] }),
        }),
        'weights/missing',
        "'b'",
      ));
    it('a tensor that the index does not know', () =>
      refused(
        sharded({ ...index({ a: 's.safetensors' }), 's.safetensors': filledSafetensors({ a: [1], c: [1] }) }),
        'weights/malformed',
        "'c'",
      ));
    it('a shard that is missing', () =>
      refused(sharded(index({ a: 's.safetensors' })), 'file/missing', 's.safetensors'));
    it('a shard outside the folder', () =>
      refused(sharded(index({ a: '../s.safetensors' })), 'weights/malformed', '../s.safetensors'));
    it('an index without a map', () =>
      refused(sharded({ 'model.safetensors.index.json': {} }), 'weights/malformed', 'weight_map'));
  });

  it('an integer mask of an old checkpoint does not disturb', () =>
    inTemporaryFolder(async (folder) => {
      const bytes = readFileSync(golden('architectures/gpt2/model.safetensors'));
      const length = Number(bytes.readBigUInt64LE());
      const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Json;
      const size = bytes.length - 8 - length;
      header['transformer.h.0.attn.bias'] = { dtype: 'BOOL', shape: [1, 1, 2, 2], data_offsets: [size, size + 4] };
      const data = Buffer.concat([bytes.subarray(8 + length), Buffer.of(1, 0, 1, 1)]);
      writeFiles(folder, { 'config.json': configOf('gpt2'), 'model.safetensors': safetensorsBytes(header, data) });
      await using(folder, async ({ weights }) => expect(weights.shapes.size).to.equal(5 + 3 * 16));
    }));
});
