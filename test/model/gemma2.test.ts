import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { loadModel } from '../../src/model/load.js';
import { golden, inTemporaryFolder, refused, writeFiles } from '../helpers/model-files.js';

const CONFIG = JSON.parse(readFileSync(golden('architectures/gemma2/config.json'), 'utf8')) as Record<string, unknown>;

/** The model in a folder of its own, some of its settings changed. */
const withSettings = <T>(settings: Record<string, unknown>, use: (folder: string) => Promise<T>): Promise<T> =>
  inTemporaryFolder(async (folder) => {
    const copied = ['model.safetensors', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json'];
    const files = copied.map((name) => [name, readFileSync(golden('architectures/gemma2', name))] as const);
    writeFiles(folder, { ...Object.fromEntries(files), 'config.json': { ...CONFIG, ...settings } });
    return use(folder);
  });

const configOf = (settings: Record<string, unknown>) =>
  withSettings(settings, async (folder) => {
    const model = await loadModel(folder);
    await model.dispose();
    return model.config;
  });

describe('Gemma 2', () => {
  it('is norms before and after, windows, caps and scales as properties', async () => {
    expect(await configOf({})).to.deep.include({
      norm: 'RMS',
      normPlaces: { before: true, after: true },
      normOffset: 1,
      windows: [4, null, 4],
      scoreCap: 3,
      logitCap: 5,
      embeddingScale: Math.sqrt(32),
      attnScale: Math.sqrt(10),
      nKeyValueHeads: 2,
      dHead: 12,
    });
  });

  it('a file without kinds of layers has the window on every other one from the first', async () => {
    expect(await configOf({ layer_types: undefined })).to.deep.include({ windows: [4, null, 4] });
  });

  it('without caps there are none', async () => {
    const config = await configOf({ attn_logit_softcapping: null, final_logit_softcapping: null });
    expect(config).to.not.have.any.keys('scoreCap', 'logitCap');
  });

  it('kinds of layers that it does not have are refused', () =>
    withSettings({ layer_types: ['sliding_attention', 'full_attention', 'chunked_attention'] }, (folder) =>
      refused(loadModel(folder), 'model/config', "'layer_types'", '3 layers'),
    ));
});
