/** Tasks that claim what cannot be, or are no tasks at all: refused by name, before anything of that size is built. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { layOut } from '../../src/interventions/scrubbing/hypothesis.js';
import { loadHypothesis } from '../../src/interventions/scrubbing/load.js';
import { parseHypothesis } from '../../src/interventions/scrubbing/schema.js';
import { makeUniverse } from '../../src/circuit/universe.js';
import { resolveTask } from '../../src/task/files/load.js';
import { MOST_PAIRS } from '../../src/task/schema.js';
import { refused } from '../helpers/model-files.js';
import { generate, large } from './generate.js';
import { refusal } from './refusal.js';
import { configFor } from './tokenizers.js';

describe('a hostile task', () => {
  let folder: string;
  before(() => void (folder = mkdtempSync(path.join(tmpdir(), 'thevenin-hostile-'))));
  after(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  const model = { tokenizer: large, config: configFor(large) };
  const resolve = (text: string) => resolveTask(write('task.json', text), model);

  const generator = (fields: string): string =>
    `{"name": "x", "metric": "logit-difference", "generator": {"name": "ioi", ${fields}}}`;
  const pair = (fields: string): string => `{"name": "x", "metric": "logit-difference", "pairs": [{${fields}}]}`;
  const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;

  const cases: Readonly<Record<string, readonly [string, 'task/json' | 'task/schema' | 'task/generator', string]>> = {
    'four billion pairs': [generator('"seed": 1, "count": 4000000000'), 'task/schema', `from 1 to ${MOST_PAIRS}`],
    '1e300 pairs': [generator('"seed": 1, "count": 1e300'), 'task/schema', '/generator/count'],
    'an infinite seed': [generator('"seed": 1e999, "count": 4'), 'task/json', '/generator/seed is a number beyond'],
    'a seed that is no whole number of 53 bits': [
      generator('"seed": 1e300, "count": 4'),
      'task/schema',
      '/generator/seed',
    ],
    'JSON nested ten thousand deep': [deep, 'task/json', 'nested more than 100 deep'],
    'a prompt nested ten thousand deep': [pair(`"clean": ${deep}, "corrupt": "a"`), 'task/json', '/pairs/0/clean/0/0'],
    'half of a surrogate pair': [
      pair('"clean": "a \\ud83d b", "corrupt": "a"'),
      'task/json',
      '/pairs/0/clean holds one half of a surrogate pair',
    ],
    'a span called __proto__': [
      pair('"clean": "a", "corrupt": "b", "spans": {"__proto__": [0, 1]}'),
      'task/json',
      '/pairs/0/spans/__proto__ is called "__proto__"',
    ],
    'an infinite target': [
      '{"name": "x", "metric": "squared-error", "pairs": [{"clean": "a", "corrupt": "b", "target": -1e999}]}',
      'task/json',
      '/pairs/0/target is a number beyond',
    ],
    'an option of a generator that is none of its choices': [
      generator('"seed": 1, "count": 4, "options": {"corruption": "s2swap"}'),
      'task/generator',
      'option /corruption must be one of s2-swap, abc',
    ],
    'a metric with a slip of the pen': [
      '{"name": "x", "metric": "kl-divergance", "pairs": []}',
      'task/schema',
      'expected one of kl-divergence, logit-difference',
    ],
  };
  for (const [what, [text, code, said]] of Object.entries(cases))
    it(`${what}`, () => refused(resolve(text), code, 'task.json'.slice(0, code === 'task/generator' ? 0 : 9), said));

  it('asked for more pairs than its generator makes, whoever asks', async () => {
    await refused(
      resolveTask('ioi', model, { count: 4e9 }),
      'task/generator',
      '4000000000 pairs',
      `1 to ${MOST_PAIRS}`,
    );
    expect(refusal(() => generate('induction', { count: 1.5 })).code).to.equal('task/generator');
    expect(refusal(() => generate('induction', { seed: Infinity })).code).to.equal('task/generator');
  });

  it('a pipe in its place is refused, not waited for', async () => {
    execFileSync('mkfifo', [path.join(folder, 'pipe.json')]);
    await refused(resolveTask(path.join(folder, 'pipe.json'), model), 'file/unreadable', 'a pipe, not a regular file');
    await refused(resolveTask('/dev/zero', model), 'file/unreadable', 'a device, not a regular file');
  });

  it('made by its generator, lets the program attend to Ctrl-C meanwhile', async () => {
    let turns = 0;
    let going = true;
    const turn = (): void => void (turns++, going && setImmediate(turn));
    setImmediate(turn);
    const { file } = await resolveTask('induction', model, { count: 320 });
    going = false;
    expect(file.pairs).to.have.length(320);
    expect(turns).to.be.at.least(20);
    expect(file).to.deep.include({ pairs: generate('induction', { ...model, count: 320 }).pairs });
  });

  describe('that is a data set of another project', () => {
    const sets: Readonly<Record<string, string>> = {
      'EAP-IG CSV': 'clean,corrupted,country_idx,corrupted_country_idx\n"The capital of France is","x",1,2\n',
      'auto-circuit JSON': '{"word_idxs": {}, "prompts": [{"clean": "a", "corrupt": "b"}]}',
      'feature-circuits JSON Lines': '{"clean_prefix": "The girl", "patch_prefix": "The girls"}\n',
      'MIB rows': '[{"prompt": "a", "random_counterfactual": {"prompt": "b"}}]',
    };
    for (const [what, text] of Object.entries(sets))
      it(what, () => refused(resolve(text), 'task/schema', `seems to be a data set (${what}`, 'thevenin import'));
  });
});

describe('a hostile hypothesis', () => {
  const universe = makeUniverse({ nLayers: 2, nHeads: 2, hasMlp: true, parallelBlocks: false });
  const reads = (name: string) => ({ name: 'x', nodes: { out: { at: 'logits', reads: [name] } } });

  for (const name of ['__proto__', 'constructor', 'toString'])
    it(`that reads ${name} reads a node that is not there`, () => {
      const error = refusal(() => layOut(parseHypothesis(reads(name), 'H.json'), universe));
      expect(error.code).to.equal('interventions/hypothesis');
      expect(error.message).to.include(`reads "${name}", which is not among the nodes: out`);
    });

  it('with a chain of nodes as long as one likes', () => {
    const link = (i: number) => [`n${i}`, { at: 'm0', reads: [`n${i + 1}`] }] as const;
    const nodes = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => link(i)));
    const error = refusal(() => parseHypothesis({ name: 'x', nodes }, 'H.json'));
    expect(error.code).to.equal('interventions/hypothesis');
    expect(error.message).to.include('1000');
  });

  it('called by nearly its name is offered first', () =>
    refused(loadHypothesis('inductoin'), 'interventions/hypothesis', 'shipped are induction'));
});
