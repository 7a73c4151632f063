/** Model files that claim what they cannot hold: refused by name, before anything of that size is built. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect } from 'chai';
import { TheveninError } from '../../src/errors.js';
import { loadModel } from '../../src/model/load.js';
import { buildTokenizer } from '../../src/model/tokenizer.js';
import { golden, inTemporaryFolder, refused, writeFiles } from '../helpers/model-files.js';

type Json = Record<string, unknown>;
const readJson = (...parts: string[]): Json => JSON.parse(readFileSync(golden(...parts), 'utf8')) as Json;

/** A golden model's folder with one of its files written anew. */
const withFile = (
  model: readonly string[],
  { files, changed }: { files: readonly string[]; changed: Readonly<Record<string, string | object>> },
  use: (folder: string) => Promise<unknown>,
): Promise<unknown> =>
  inTemporaryFolder((folder) => {
    writeFiles(folder, Object.fromEntries(files.map((name) => [name, readFileSync(golden(...model, name))])));
    writeFiles(folder, changed);
    return use(folder);
  });

describe('a config that claims more layers than the file has tensors', () => {
  const HUGE = 9_999_999;
  const cases = [
    [['architectures', 'gpt2'], 'config.json', 'n_layer'],
    [['architectures', 'llama'], 'config.json', 'num_hidden_layers'],
    [['architectures', 'gpt_neox'], 'config.json', 'num_hidden_layers'],
  ] as const;
  for (const [model, file, key] of cases)
    it(`${model[1]}: ${key}`, () =>
      withFile(
        model,
        { files: ['model.safetensors'], changed: { [file]: { ...readJson(...model, file), [key]: HUGE } } },
        (folder) => refused(loadModel(folder), 'model/config', key, `${HUGE}`, 'tensors'),
      ));

  it('the plain container: n_layers', () => {
    const json = readJson('ground-truth', 'or-gate', 'model.json');
    const config = { ...(json['config'] as Json), n_layers: HUGE };
    return withFile(
      ['ground-truth', 'or-gate'],
      { files: ['model.safetensors'], changed: { 'model.json': { ...json, config } } },
      (folder) => refused(loadModel(folder), 'model/config', 'n_layers', 'tensors'),
    );
  });
});

describe('a model file that is not what it seems', () => {
  const deep = `{"config": ${'['.repeat(10_000)}${']'.repeat(10_000)}}`;

  it('JSON nested ten thousand deep', () =>
    withFile(['ground-truth', 'or-gate'], { files: ['model.safetensors'], changed: { 'model.json': deep } }, (folder) =>
      refused(loadModel(folder), 'model/config', 'model.json', 'nested more than 100 deep'),
    ));

  it('a pipe in the place of any file is refused, not waited for', () =>
    inTemporaryFolder(async (folder) => {
      const pipe = (name: string): void => void execFileSync('mkfifo', [`${folder}/${name}`]);
      pipe('weights.gguf');
      await refused(
        loadModel(`${folder}/weights.gguf`),
        'file/unreadable',
        'weights.gguf',
        'a pipe, not a regular file',
      );
      pipe('model.json');
      await refused(loadModel(folder), 'file/unreadable', 'model.json', 'a pipe');
    }));
});

describe('a tokenizer.json with something of the wrong type', () => {
  const sound = readJson('architectures', 'gpt2', 'tokenizer.json');
  const model = sound['model'] as Json;
  const build = (json: Json) => buildTokenizer(json, { bosId: null, prependsBos: false, digest: '', origin: 'T.json' });
  const refusal = (json: Json): TheveninError => {
    try {
      build(json).decode(build(json).encode('the key is 12'));
    } catch (error) {
      if (error instanceof TheveninError) return error;
      throw error;
    }
    throw new Error('accepted');
  };
  const cases: Readonly<Record<string, readonly [Json, string]>> = {
    'an added token whose content is an object': [
      { ...sound, added_tokens: [{ id: 3, content: { length: 4e9 } }] },
      "'added_tokens'",
    ],
    'an added token without content': [{ ...sound, added_tokens: [{ id: 3, content: '' }] }, "'added_tokens'"],
    'added tokens that are a number': [{ ...sound, added_tokens: 4 }, "'added_tokens'"],
    'no model': [{ ...sound, model: 7 }, "'model'"],
    'a vocabulary that is a text': [{ ...sound, model: { ...model, vocab: 'abc' } }, "'model.vocab'"],
    'merges of numbers': [{ ...sound, model: { ...model, merges: [1, 2] } }, "'model.merges'"],
    'a decoder that is a number': [{ ...sound, decoder: 3 }, "'decoder'"],
    'a pre-tokenizer without a type': [{ ...sound, pre_tokenizer: {} }, "'pre_tokenizer'"],
  };
  for (const [what, [json, said]] of Object.entries(cases))
    it(what, () => {
      const error = refusal(json);
      expect(error).to.include({ code: 'model/tokenizer', exit: 2 });
      expect(error.message).to.include('T.json').and.include(said);
    });

  it('any one value, anywhere, replaced by another: it works, or it is refused', () => {
    const places: (readonly (string | number)[])[] = [];
    const walk = (value: unknown, at: readonly (string | number)[]): void => {
      if (at.length > 0 && places.length < 4000) places.push(at);
      if (typeof value === 'object' && value !== null)
        for (const key of Object.keys(value).slice(0, 12)) walk((value as Json)[key], [...at, key]);
    };
    walk(sound, []);
    const value = fc.constantFrom(
      null,
      true,
      0,
      -1,
      1e9,
      '',
      'x',
      '(',
      [],
      {},
      [[]],
      { type: 'Sequence' },
      { length: 9e9 },
    );
    const law = fc.property(fc.constantFrom(...places), value, (at, changed) => {
      const copy = structuredClone(sound);
      const last = at.slice(0, -1).reduce<Json>((inner, key) => inner[key] as Json, copy);
      last[at.at(-1) as string] = changed;
      try {
        const tokenizer = build(copy);
        const ids = tokenizer.encode('the key is 12');
        expect(ids.every((id) => Number.isInteger(id))).to.equal(true);
        expect(tokenizer.decode(ids)).to.be.a('string');
      } catch (error) {
        if (!(error instanceof TheveninError) || error.code === 'fault/internal') throw error;
      }
    });
    fc.assert(law, { seed: 31, numRuns: 400 });
  });

  it('a text with half of a surrogate pair is no text', () =>
    expect(() => build(sound).encode('the \ud83d key'))
      .to.throw(TheveninError, 'surrogate')
      .with.property('code', 'tokenizer/text'));
});
