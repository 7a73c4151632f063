import { SOURCE_KINDS } from '../../../engine/sources/kinds.js';
import { defineCommand, flag, required, value } from '../../command.js';
import { integer, layers, names, number, oneOf, path, text } from '../../parse.js';
import {
  bosOption,
  examplesOption,
  jsonOption,
  memoryOption,
  modelOption,
  overwriteOption,
  runtimeOption,
  threadsOption,
} from '../../options.js';

const OPTIONS = {
  task: required('--task <task>', 'a shipped task (see `thevenin tasks`) or a task file', text),
  model: modelOption,
  out: required('--out <folder>', 'where the report is written', path),
  overwrite: overwriteOption,
  method: value('--method <key>', 'discovery method', text, 'eap-ig'),
  source: value(
    '--source <kind>',
    `what a cut edge reads: ${SOURCE_KINDS.join(', ')} (of the corrupt prompts to discover on)`,
    oneOf(...SOURCE_KINDS),
    'other-prompt',
  ),
  noiseScale: value('--noise-scale <n>', 'gaussian: the noise, in standard deviations of what it replaces', number, 1),
  journal: value(
    '--journal <file>',
    'exact: keep effects there as they come; an interrupted run goes on from it',
    path,
  ),
  resolution: value(
    '--resolution <places>',
    'tell scores and exact effects apart by position (equal lengths) or by span of the prompt: all, position, span',
    oneOf('all', 'position', 'span'),
    'all',
  ),
  spans: value(
    '--spans <list>',
    'with --resolution span: which, e.g. S1,S2,end (default: those that every pair has)',
    names,
  ),
  neurons: value(
    '--neurons <layers>',
    'tell apart the neurons of these layers’ MLPs, too: what each writes and reads (eap, eap-ig, clean-corrupted)',
    layers,
  ),
  perExample: flag('--per-example', 'keep the scores of every pair in npy files, not only their means'),
  edges: value('--edges <n>', 'edges to choose, before dead ends are pruned', integer({ least: 0 }), 200),
  select: value(
    '--select <rule>',
    'top-n, greedy (from the logits), threshold',
    oneOf('top-n', 'greedy', 'threshold'),
    'top-n',
  ),
  threshold: value('--threshold <score>', 'with --select threshold: the least score that is in', number),
  by: value('--by <order>', 'rank edges by absolute or signed score', oneOf('absolute', 'signed'), 'absolute'),
  examples: examplesOption,
  seed: value('--seed <n>', 'of splits, random circuits and layout', integer({ least: 0 }), 0),
  bos: bosOption,
  split: flag('--no-split', 'use every pair to discover, to choose and to report'),
  force: flag('--force', 'go on although the model does not do the task'),
  runtime: runtimeOption,
  threads: threadsOption,
  memory: memoryOption,
  minimal: value(
    '--minimal <distance>',
    'then eliminate edges while |1 − faithfulness| on the choose split stays within this, e.g. 0.1',
    number,
  ),
  diagnose: value(
    '--diagnose <n>',
    'then bound the largest effect among edges not measured, by cutting n random subsets of them, e.g. 400',
    integer({ least: 1 }),
  ),
  layout: value('--layout <kind>', 'of the drawing: layered, force', oneOf('layered', 'force'), 'layered'),
  plain: flag('--plain', 'never compress circuit.json'),
  json: jsonOption,
};

export const discover = defineCommand({
  name: 'discover',
  summary: 'find the circuit that does a task, verify it on held-out pairs and write the report',
  options: OPTIONS,
  declared: async () => {
    const { METHODS } = await import('../../../attribution/edges/index.js');
    const { methodFlags } = await import('../../method-options.js');
    return methodFlags(METHODS, OPTIONS);
  },
  run: async ({ signal, onProgress, print }, { json, ...request }) => {
    const { discover: work } = await import('../../../jobs/discover/discover.js');
    const { record, written } = await work(request, { signal, onProgress });
    if (json) return print(JSON.stringify(record));
    const { describeFindings } = await import('../../views/findings.js');
    print(describeFindings(record, written));
  },
});
