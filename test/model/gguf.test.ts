import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { openGguf } from '../../src/model/gguf/header.js';
import { layout } from '../../src/model/layout.js';
import { loadModel } from '../../src/model/load.js';
import { tensorStore } from '../../src/model/tensor-store.js';
import type { Model } from '../../src/model/types.js';
import type { GgufTensor } from '../helpers/model-files.js';
import { floatBytes, ggufBytes, golden, inTemporaryFolder, refused } from '../helpers/model-files.js';
import { readTensor } from '../helpers/safetensors.js';

const using = async <T>(path: string, use: (model: Model) => Promise<T>): Promise<T> => {
  const model = await loadModel(path);
  try {
    return await use(model);
  } finally {
    await model.dispose();
  }
};

const allWeights = (path: string): Promise<Map<string, Float32Array>> =>
  using(path, async ({ weights }) => {
    const all = new Map<string, Float32Array>();
    for (const name of weights.shapes.keys()) all.set(name, await weights.read(name));
    return all;
  });

const largestDifference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);

const FILES = {
  llama: ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1'],
  gpt2: ['F32', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1'],
};

describe('GGUF', () => {
  describe('dequantised tensors are those of the gguf library', () => {
    const samples = {
      llama: [
        ['blk.0.attn_q.weight', 32, 32],
        ['blk.1.ffn_down.weight', 32, 96],
      ],
      gpt2: [
        ['blk.0.attn_qkv.weight', 96, 32],
        ['blk.1.ffn_down.weight', 32, 128],
      ],
    } as const;
    for (const family of ['llama', 'gpt2'] as const)
      for (const type of FILES[family].slice(1))
        it(`${family} ${type}`, async () => {
          const { file, tensors } = await openGguf(golden(`architectures/${family}-gguf/${family}-${type}.gguf`));
          const store = tensorStore(tensors, [file]);
          for (const [name, rows, columns] of samples[family]) {
            const expected = readTensor(golden(`architectures/${family}-gguf/golden.safetensors`), `${type}/${name}`);
            expect(await store.read(name, layout('r c -> r c', { sizes: { r: rows, c: columns } }))).to.deep.equal(
              expected,
            );
          }
          await store.close();
        });
  });

  describe('the same model from GGUF and from its Hugging Face folder', () => {
    for (const family of ['llama', 'gpt2'] as const) {
      it(`${family}: config equal, every weight of the F32 file equal to the bit (Q and K put back in order)`, async () => {
        const theirs = await allWeights(golden(`architectures/${family}`));
        const ours = await allWeights(golden(`architectures/${family}-gguf/${family}-F32.gguf`));
        expect([...ours.keys()]).to.have.members([...theirs.keys()]);
        for (const [name, values] of theirs) expect(ours.get(name), name).to.deep.equal(values);
        const config = await using(golden(`architectures/${family}`), async (model) => model.config);
        const {
          name: _,
          normEps,
          ...rest
        } = await using(golden(`architectures/${family}-gguf/${family}-F32.gguf`), async (model) => model.config);
        expect(config).to.deep.include(rest);
        expect(normEps).to.be.closeTo(config.normEps, 1e-12);
      });

      for (const type of FILES[family].slice(1))
        it(`${family} ${type}: within the rounding that the file's maker measured`, async () => {
          const { files } = JSON.parse(readFileSync(golden(`architectures/${family}-gguf/golden.json`), 'utf8'));
          const bound = files[type].max_abs_weight_error as number;
          const theirs = await allWeights(golden(`architectures/${family}`));
          const ours = await allWeights(golden(`architectures/${family}-gguf/${family}-${type}.gguf`));
          const worst = Math.max(...[...theirs].map(([name, values]) => largestDifference(values, ours.get(name)!)));
          expect(worst).to.be.closeTo(bound, 1e-6);
        });
    }
  });

  describe('files made by hand', () => {
    const ones = (...shape: number[]): GgufTensor => {
      const size = shape.reduce((product, n) => product * n, 1);
      return { shape, type: 0, data: floatBytes(...new Array<number>(size).fill(1)) };
    };
    const metadata = {
      'general.architecture': 'llama',
      'llama.block_count': 1,
      'llama.context_length': 8,
      'llama.embedding_length': 4,
      'llama.feed_forward_length': 2,
      'llama.attention.head_count': 2,
    };
    const tensors: Record<string, GgufTensor> = {
      'token_embd.weight': { shape: [3, 4], type: 0, data: floatBytes(...Array(12).keys()) },
      'output_norm.weight': ones(4),
      'blk.0.attn_norm.weight': ones(4),
      'blk.0.ffn_norm.weight': ones(4),
      'blk.0.attn_q.weight': ones(4, 4),
      'blk.0.attn_k.weight': ones(4, 4),
      'blk.0.attn_v.weight': ones(4, 4),
      'blk.0.attn_output.weight': ones(4, 4),
      'blk.0.ffn_gate.weight': ones(2, 4),
      'blk.0.ffn_up.weight': ones(2, 4),
      'blk.0.ffn_down.weight': ones(4, 2),
    };
    const tokenizer = {
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.pre': 'gpt-2',
      'tokenizer.ggml.tokens': ['<s>', 'a', 'b'],
      'tokenizer.ggml.token_type': [3, 1, 1],
      'tokenizer.ggml.merges': ['a b'],
    };
    const loading = (bytes: Buffer, use: (model: Model) => Promise<unknown> = async () => undefined): Promise<void> =>
      inTemporaryFolder(async (folder) => {
        writeFileSync(`${folder}/m.gguf`, bytes);
        await using(`${folder}/m.gguf`, use);
      });

    it('without output.weight the unembedding is the embedding, transposed', () =>
      loading(ggufBytes(metadata, tensors), async ({ weights, config, tokenizer: none }) => {
        expect(config.dVocab).to.equal(3);
        expect(weights.shapes.get('unembed.W_U')).to.deep.equal([4, 3]);
        expect([...(await weights.read('unembed.W_U'))]).to.deep.equal([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
        expect([...(await weights.columns('unembed.W_U', [2, 0]))]).to.deep.equal([8, 9, 10, 11, 0, 1, 2, 3]);
        expect(none).to.equal(null);
      }));

    it('a bias of the queries is put back in order like their rows', () =>
      loading(
        ggufBytes(
          { ...metadata, 'llama.attention.head_count': 1 },
          { ...tensors, 'blk.0.attn_q.bias': { shape: [4], type: 0, data: floatBytes(0, 2, 1, 3) } },
        ),
        async ({ weights }) => expect([...(await weights.read('blocks.0.attn.b_Q'))]).to.deep.equal([0, 1, 2, 3]),
      ));

    const bad: Record<string, [Buffer, Parameters<typeof refused>[1], string]> = {
      'rope scaling': [
        ggufBytes({ ...metadata, 'llama.rope.scaling.type': 'yarn' }, tensors),
        'model/config',
        'rope.scaling.type',
      ],
      'rope scaling given as a table': [
        ggufBytes(metadata, { ...tensors, 'rope_freqs.weight': ones(1) }),
        'weights/unexpected',
        'rope_freqs.weight',
      ],
      'a mixture of experts': [
        ggufBytes({ ...metadata, 'llama.expert_count': 8 }, tensors),
        'model/config',
        'expert_count',
      ],
      'a setting that nobody here knows': [
        ggufBytes({ ...metadata, 'llama.logit_scale': 0.5 }, tensors),
        'model/config',
        'logit_scale',
      ],
      'partial rotary': [
        ggufBytes({ ...metadata, 'llama.rope.dimension_count': 1 }, tensors),
        'model/config',
        'rope.dimension_count',
      ],
      'another architecture': [
        ggufBytes({ ...metadata, 'general.architecture': 'mamba' }, tensors),
        'model/architecture',
        'mamba',
      ],
      'no architecture': [ggufBytes({}, tensors), 'model/architecture', 'gpt2, llama'],
      'an unknown quantisation': [
        ggufBytes(metadata, { ...tensors, 'blk.0.attn_v.weight': { ...ones(4, 4), type: 12 } }),
        'weights/type',
        'Q4_K',
      ],
      'a type that has no name': [
        ggufBytes(metadata, { ...tensors, 'blk.0.attn_v.weight': { ...ones(4, 4), type: 99 } }),
        'weights/type',
        'type 99',
      ],
      'a matrix of another shape': [
        ggufBytes(metadata, { ...tensors, 'blk.0.attn_v.weight': ones(2, 4) }),
        'weights/shape',
        '[2, 4]',
      ],
      'a missing matrix': [
        ggufBytes(metadata, Object.fromEntries(Object.entries(tensors).slice(0, -1))),
        'weights/missing',
        'blk.0.ffn_down.weight',
      ],
      'rows that are no whole blocks': [
        ggufBytes(metadata, { ...tensors, 'blk.0.attn_v.weight': { ...ones(4, 4), type: 8 } }),
        'weights/malformed',
        'Q8_0',
      ],
      'a tokenizer with more tokens than the embedding': [
        ggufBytes({ ...metadata, ...tokenizer, 'tokenizer.ggml.tokens': ['<s>', 'a', 'b', 'ab'] }, tensors),
        'model/vocabulary',
        '4 ids',
      ],
      'a tokenizer of another kind': [
        ggufBytes({ ...metadata, ...tokenizer, 'tokenizer.ggml.model': 'llama' }, tensors),
        'model/tokenizer',
        "'llama'",
      ],
      'an unknown pre-tokenizer': [
        ggufBytes({ ...metadata, ...tokenizer, 'tokenizer.ggml.pre': 'tekken' }, tensors),
        'model/tokenizer',
        "'tekken'",
      ],
      'version 1': [
        Buffer.concat([Buffer.from('GGUF'), Buffer.of(1, 0, 0, 0), Buffer.alloc(32)]),
        'weights/malformed',
        'version 1',
      ],
      'a big-endian file': [
        Buffer.concat([Buffer.from('GGUF'), Buffer.of(0, 0, 0, 3), Buffer.alloc(32)]),
        'weights/malformed',
        'little-endian',
      ],
      'another magic number': [Buffer.alloc(64, 'ggml'), 'weights/malformed', 'GGUF'],
      'an alignment of 3': [
        ggufBytes({ ...metadata, 'general.alignment': 3 }, tensors),
        'weights/malformed',
        'alignment',
      ],
    };
    for (const [what, [bytes, code, piece]] of Object.entries(bad))
      it(`${what} is refused`, () => refused(loading(bytes), code, piece));

    it('a value that is not finite is refused when its weight is read, by name', () => {
      const bytes = ggufBytes(metadata, {
        ...tensors,
        'blk.0.ffn_down.weight': { ...ones(4, 2), data: floatBytes(1, 1, 1, NaN, 1, 1, 1, 1) },
      });
      return refused(
        loading(bytes, async ({ weights }) => void (await weights.read('blocks.0.mlp.W_out'))),
        'weights/non-finite',
        'blk.0.ffn_down.weight',
        'NaN',
        'value 3',
      );
    });

    it("a file's own tokenizer wins over one that lies beside it; without its own, the one beside it is used", () =>
      inTemporaryFolder(async (folder) => {
        writeFileSync(
          `${folder}/tokenizer.json`,
          JSON.stringify({ model: { type: 'BPE', vocab: { z: 0 }, merges: [] } }),
        );
        writeFileSync(`${folder}/m.gguf`, ggufBytes({ ...metadata, ...tokenizer }, tensors));
        await using(folder, async (model) => {
          expect(model.tokenizer?.origin).to.equal(`the metadata of ${folder}/m.gguf`);
          expect(model.tokenizer?.vocabSize).to.equal(3);
        });
        writeFileSync(`${folder}/m.gguf`, ggufBytes(metadata, tensors));
        await using(folder, async (model) => {
          expect(model.tokenizer?.origin).to.equal(`${folder}/tokenizer.json`);
          expect(model.tokenizer?.vocabSize).to.equal(1);
        });
      }));
  });
});
