/** Logits of models in every container, and of small models that others trained. */
import { readFileSync } from 'node:fs';
import { createRuntime } from '../../src/runtime/index.js';
import { loadModel } from '../../src/model/load.js';
import { expectNear, logitsOf, withEngine } from '../helpers/engine.js';
import { golden } from '../helpers/model-files.js';
import { openTables, type Table } from '../helpers/safetensors.js';
import { sharedPath, skipWithout } from '../helpers/shared.js';

/** [prompts, positions, vocabulary], on the default runtime. */
async function logitsFrom(
  source: string,
  prompts: readonly (readonly number[])[],
  positions?: readonly number[],
): Promise<Float64Array> {
  const model = await loadModel(source);
  const runtime = await createRuntime('onnx', { threads: 1 });
  try {
    const options = positions === undefined ? {} : { positions };
    return await withEngine({ model, runtime }, (engine) => logitsOf(engine, prompts, options));
  } finally {
    await runtime.dispose();
    await model.dispose();
  }
}

const rowsOf = ({ shape, values }: Table): number[][] => {
  const [rows, width] = shape as [number, number];
  return Array.from({ length: rows }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);
};

describe('logits', () => {
  for (const container of ['llama-f16', 'llama-bf16', 'llama-sharded'])
    it(`of ${container}`, async () => {
      const tables = openTables(golden('architectures', container, 'golden.safetensors'));
      const prompts = rowsOf(tables('clean.ids'));
      const found = await logitsFrom(golden('architectures', container), prompts, [prompts[0]!.length - 1]);
      expectNear(found, tables('clean.last_logits').values, 1e-5);
    });

  for (const [folder, types] of Object.entries({
    'gpt2-gguf': ['F32', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1'],
    'llama-gguf': ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1'],
  }))
    for (const type of types)
      it(`of ${folder}, ${type}`, async () => {
        const tables = openTables(golden('architectures', folder, 'golden.safetensors'));
        const file = golden('architectures', folder, `${folder.replace('-gguf', '')}-${type}.gguf`);
        const prompts = rowsOf(tables('clean.ids'));
        const expected = tables(`${type}/clean.last_logits`);
        const [rows, vocabulary] = expected.shape as [number, number];
        // the peer stored consecutive positions, from the last of the first prompt on
        const first = (prompts[0]!.length - 1) * vocabulary;
        const found = (await logitsFrom(file, prompts)).subarray(first, first + rows * vocabulary);
        expectNear(found, expected.values, 1e-5);
      });
});

describe('reference logits of models that others trained', () => {
  for (const name of ['stories260K', 'babyllama105', 'llmviz-nano-sort', 'periodic-shortcut'])
    it(name, async function () {
      const folder = skipWithout(this, sharedPath('models', name), 'the example models are not here');
      const { tokens, logits } = JSON.parse(readFileSync(`${folder}/model.json`, 'utf8')).reference;
      expectNear(await logitsFrom(folder, tokens), (logits as number[][][]).flat(2), 1e-5); // written with 6 digits
    });
});
