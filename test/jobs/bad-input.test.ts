/**
 * What is asked in vain is refused before any compute. The models here are damaged: every weight is NaN, so that whatever reads a
 * weight fails with weights/non-finite, and a refusal with another code shows that nothing was computed. Nothing is written, either.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { optionsOf, toParser } from '../../src/cli/command.js';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { asTheveninError } from '../../src/cli/failure.js';
import { METHODS } from '../../src/attribution/edges/index.js';
import type { ErrorCode } from '../../src/errors.js';
import { discover } from '../../src/jobs/discover/discover.js';
import { runCli } from '../helpers/cli.js';
import { golden, refused, writeFiles } from '../helpers/model-files.js';

/** A copy of a model whose weights are all NaN. */
function damaged(from: string, to: string): string {
  mkdirSync(to);
  for (const file of readdirSync(from)) {
    const bytes = readFileSync(join(from, file));
    if (file === 'model.safetensors') bytes.fill(0xff, 8 + Number(bytes.readBigUInt64LE())); // NaN in every float format
    if (!file.endsWith('.safetensors') || file === 'model.safetensors') writeFileSync(join(to, file), bytes);
  }
  return to;
}

const pair = (clean: number[], more: object = {}) => ({
  ...{ clean, corrupt: clean.with(1, 9), correct: 5, incorrect: 6 },
  ...more,
});
const [S, T] = [
  { spans: { S: [1, 2] }, group: 'T' },
  { spans: { S: [1, 2] }, group: 'other' },
];
const FOUR = [pair([1, 2, 3, 4], S), pair([7, 2, 3, 4], S), pair([7, 8, 3, 4], S), pair([3, 8, 2, 4], S)];
const SPLITS = { discover: [0, 1], choose: [2], report: [3, 4] };
const task = (metric: string, pairs: object[]) => ({
  ...{ name: 'mine', metric, bos: false, pairs },
  ...(pairs.length === 5 ? { splits: SPLITS } : {}),
});
const TASKS = {
  'plain.json': task('logit-difference', FOUR),
  'kl.json': task('kl-divergence', FOUR),
  // the last pair is longer, and neither names a span nor a template
  'uneven.json': task('logit-difference', [...FOUR, pair([7, 2, 3, 4, 8])]),
  'templates.json': task('logit-difference', [...FOUR, pair([7, 2, 3, 1], T)]),
  'facts.json': [{ prompt: 'the big dog is in the', subject: 'dog', attribute: 'park' }],
  'downwards.json': {
    ...{ name: 'downwards', title: 'An MLP reads a head above it.' },
    nodes: { out: { at: 'logits', reads: ['low'] }, low: { at: 'm0', reads: ['high'] }, high: { at: 'a1.h0' } },
  },
};

/** As the shell runs a command, but for the process. */
async function command(words: string): Promise<void> {
  const [name, ...rest] = words.split(' ').map((word) => word.replaceAll('~', ' '));
  const found = COMMANDS.find((one) => [one.name, ...one.aliases].includes(name!))!;
  const shell = { signal: new AbortController().signal, onProgress: () => undefined, print: () => undefined };
  const parser = toParser(found, await optionsOf(found), (asked, parsed) => asked.run(shell, [], parsed.opts()));
  try {
    await parser
      .exitOverride()
      .configureOutput({ outputError: () => undefined })
      .parseAsync(rest, { from: 'user' });
  } catch (thrown) {
    throw asTheveninError(thrown);
  }
}

/** words (a ~ stands for a space within one) → code, and what the message says */
type Refusal = readonly [words: string, code: ErrorCode, ...pieces: string[]];

const SPECIFICATION: Readonly<Record<string, readonly Refusal[]>> = {
  'an unknown site': [
    ['patch --task plain --grid resid', 'interventions/grid', 'resid-pre'],
    ['patch --task plain --grid z --layers 7', 'interventions/grid', 'no layer 7'],
    ['patch --task plain --model attention-only --grid mlp-out', 'interventions/grid', 'no mlp-out', 'no MLP'],
    ['patch --task plain --knockout a9.h0.pattern@end<-S', 'interventions/knockout', 'a9'],
    ['patch --task plain --path a0.h77~->~logits', 'interventions/path', 'a0.h77'],
    ['paths --task plain --to a9.*<q>', 'interventions/path', 'a9.*<q>'],
    ['paths --task plain --to nowhere', 'circuit/address', 'nowhere'],
    ['nodes --task plain --site everything', 'interventions/grid', 'everything'],
    ['steer --task plain --site a7.h0', 'interventions/steering', 'a7.h0'],
    ['steer --task plain --site a0.h0<q>', 'interventions/steering', 'a0.h0<q>'],
  ],
  'an impossible path: only upwards': [
    ['patch --task plain --path a1.h0~->~a0.h1<q>', 'interventions/path', 'a1.h0', 'a0.h1<q>'],
    ['patch --task plain --path m1~->~a1.h0<k>~->~logits', 'interventions/path', 'm1'],
    ['patch --task plain --path a0.h0~->~a0.h1<q>', 'interventions/path', 'a0.h0'],
    ['scrub --task plain --hypothesis downwards.json', 'interventions/hypothesis', 'high'],
  ],
  'a span absent from some prompts': [
    [
      'patch --task uneven --grid resid-pre --by span --spans S',
      'interventions/positions',
      'span S',
      'absent from 1 of 5',
    ],
    ['patch --task uneven --knockout a1.h0.pattern@end<-S', 'interventions/positions', 'span S', 'pair 4'],
    ['patch --task uneven --path a0.h0~->~logits@S..end', 'interventions/positions', 'span S', 'pair 4'],
    ['discover --task uneven --resolution span --spans S', 'interventions/positions', 'span S', 'absent from 1 of 5'],
    ['nodes --task uneven --site z --by span --spans S', 'interventions/positions', 'span S', 'absent from 1 of 5'],
    ['steer --task uneven --site resid1.pre --at S', 'interventions/positions', 'span S', 'pair 4'],
    ['tokens --task uneven --method occlusion --spans S', 'attribution/spans', 'span S', 'absent from 1 of 5'],
  ],
  'unequal lengths where positions are asked for': [
    ['patch --task uneven --grid resid-pre', 'interventions/positions', '4, 5 tokens', 'by span'],
    ['patch --task uneven --grid pattern-entries', 'interventions/positions', '4, 5 tokens'],
    ['nodes --task uneven --site z --by position', 'interventions/positions', '4, 5 tokens'],
    ['steer --task uneven --site resid1.pre --read each --no-split', 'interventions/steering', '4, 5 tokens'],
    ['discover --task uneven --resolution position', 'interventions/positions', '4, 5 tokens'],
  ],
  'a metric whose gradient is zero at the only point asked for': [
    [
      'discover --task kl --method eap-ig --rule right --steps 1',
      'discovery/gradient',
      'eap-ig',
      'clean-corrupted',
      'logit-difference',
    ],
    ['discover --task kl --method eap-ig-activations --rule right --steps 1', 'discovery/gradient', 'logit-difference'],
    ['nodes --task kl --site z --method ap', 'interventions/estimator', 'ap-ig', 'logit-difference'],
    ['tokens --task kl --method grad-x-input', 'attribution/gradient', 'ig', 'logit-difference'],
    ['tokens --task kl --method lrp', 'attribution/gradient', 'ig', 'logit-difference'],
    ['tokens --task kl --method ig --rule right --steps 1', 'attribution/gradient', 'logit-difference'],
  ],
  'a noise scale of zero': [
    ['causal-trace --facts facts.json --factor 0', 'interventions/noise', 'more than 0'],
    ['discover --task plain --source gaussian --noise-scale 0', 'interventions/noise', 'scale 0', 'mean'],
    ['discover --task plain --source gaussian --noise-scale -1', 'interventions/noise', 'scale -1'],
  ],
  'an ablation source that needs what is not there': [
    [
      'discover --task uneven --source positional-mean',
      'discovery/source',
      '1 of 5 pairs',
      'prompts of 5 tokens',
      '--no-split',
    ],
    ['discover --task uneven --source template-mean', 'discovery/source', 'pair 4', '"group"'],
    ['discover --task templates --source template-mean', 'discovery/source', '1 of 5 pairs', 'template "other"'],
    [
      'discover --task plain --source learned --memory 1KiB',
      'discovery/memory',
      'learning constants',
      'another source',
    ],
    ['discover --task plain --source median', 'cli/usage', '--source', 'template-mean'],
  ],
  'what no method, rule or task could answer': [
    ['discover --task plain --method eapig', 'discovery/method', 'eap-ig'],
    ['discover --task plain --rule trapezoid --steps 1', 'discovery/steps', 'trapezoid', 'at least 2'],
    ['discover --task plain --method eap-ig-activations --rule trapezoid --steps 1', 'discovery/steps', 'at least 2'],
    ['discover --task plain --method eap --tau 0.1', 'attribution/option', 'eap has no option --tau', 'acdc has it'],
    [
      'discover --task plain --method acdc --steps 5',
      'attribution/option',
      '--steps',
      'eap-ig, eap-ig-activations have',
    ],
    ['discover --task plain --holds metric', 'attribution/option', '--holds', 'acdc, edge-pruning, subnetwork-probing'],
    ['nodes --task plain --method ap --steps 5', 'attribution/option', 'ap has no option --steps', 'ap-ig, ig have it'],
    ['tokens --task plain --method loo --samples 9', 'attribution/option', '--samples', 'shap has it'],
    ['discover --task plain --select threshold', 'cli/usage', '--threshold'],
    ['discover --task plain --method eap --journal here.jsonl', 'cli/usage', '--journal', 'eap'],
    ['discover --task plain --method acdc --order random:x', 'cli/usage', '--order'],
    ['discover --task plain --method edge-pruning --updates 0', 'cli/usage', '--updates', 'from 1 up'],
    ['discover --task plain --method edge-pruning --restarts 0', 'cli/usage', '--restarts', 'from 1 up'],
    ['discover --task plain --method edge-pruning --rate 0', 'cli/usage', '--rate', 'above 0'],
    ['discover --task plain --method subnetwork-probing --lambda -1', 'cli/usage', '--lambda', 'above 0'],
  ],
};

describe('refused before anything is computed or written', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'thevenin-bad-'));
    writeFiles(folder, TASKS);
    damaged(golden('architectures', 'gpt2'), join(folder, 'model'));
    damaged(fileURLToPath(new URL('../../models/induction', import.meta.url)), join(folder, 'attention-only'));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Names of files become paths; a model and a folder for the result are given where the words name none. */
  const complete = (words: string): string => {
    const inFolder = words
      .replace(/--task (\w+)/, (_, name: string) => `--task ${join(folder, `${name}.json`)}`)
      .replace(/--model (\S+)/, (_, name: string) => `--model ${join(folder, name)}`)
      .replace(/--(facts|hypothesis) (\S+)/, (_, option: string, file: string) => `--${option} ${join(folder, file)}`);
    const model = words.includes('--model') ? '' : ` --model ${join(folder, 'model')}`;
    return `${inFolder}${model} --runtime reference --out ${join(folder, 'out')}`;
  };
  const expectRefused = async ([words, code, ...pieces]: Refusal): Promise<void> => {
    const here = readdirSync(folder);
    await refused(command(complete(words)), code, ...pieces);
    expect(readdirSync(folder), 'nothing is written').to.deep.equal(here);
    expect(existsSync('here.jsonl')).to.equal(false);
  };

  for (const [what, refusals] of Object.entries(SPECIFICATION))
    describe(what, () => {
      for (const refusal of refusals)
        it(`${refusal[0].replaceAll('~', ' ')} → ${refusal[1]}`, () => expectRefused(refusal));
    });

  describe('KL on the clean prompts, with every method that takes its gradient there', () => {
    const methods = METHODS.filter(
      ({ key }) => !/acdc|exact|ig|corrupted|pruning|probing|magnitude|random|routes/.test(key),
    );
    for (const { key } of methods)
      it(key, () =>
        expectRefused([
          `discover --task kl --method ${key}`,
          'discovery/gradient',
          'kl-divergence',
          'clean-corrupted',
          'logit-difference',
        ]),
      );
  });

  it('unknown names reach the library as the command line', async () => {
    const asked = { task: join(folder, 'plain.json'), model: join(folder, 'model'), runtime: 'reference' };
    await refused(discover({ ...asked, source: 'median' as 'mean' }), 'discovery/source', '"median"', 'template-mean');
    await refused(discover({ ...asked, select: 'best' }), 'circuit/selection', 'best', 'top-n');
    await refused(discover({ ...asked, layout: 'round' }), 'circuit/layout', 'round', 'layered');
  });

  it('what is asked in earnest does read weights: these models would not let compute go unnoticed', async () => {
    for (const words of [
      'discover --task plain',
      'patch --task plain --grid z',
      'paths --task plain',
      'tokens --task plain --method ig',
    ])
      await refused(command(complete(words)), 'weights/non-finite');
  });

  it('the process says it in one line, ends with 2, and leaves no folder behind', async () => {
    const words = complete('discover --task uneven --source template-mean').split(' ');
    const { code, stdout, stderr } = await runCli(words);
    expect([code, stdout]).to.deep.equal([2, '']);
    expect(stderr).to.match(/^thevenin: .*pair 4.* \[discovery\/source\]\n$/);
    expect(existsSync(join(folder, 'out'))).to.equal(false);
  });
});
