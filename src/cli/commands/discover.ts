import { defineCommand, flag, required, value } from '../command.js';
import { bos, bytes, integer, number, oneOf, path, text } from '../parse.js';

export const discover = defineCommand({
  name: 'discover',
  summary: 'find the circuit that does a task, verify it on held-out pairs and write the report',
  options: {
    task: required('--task <task>', 'a shipped task (see `thevenin tasks`) or a task file', text),
    model: required('--model <model>', 'a model folder, a .gguf file or a bundled model (see `thevenin models`)', path),
    out: required('--out <folder>', 'where the report is written', path),
    method: value('--method <key>', 'discovery method', text, 'eap-ig'),
    steps: value('--steps <n>', 'interpolation points of eap-ig', integer({ least: 1 }), 5),
    rule: value(
      '--rule <rule>',
      'where they lie: left, right, midpoint',
      oneOf('left', 'right', 'midpoint'),
      'midpoint',
    ),
    edges: value('--edges <n>', 'edges to choose, before dead ends are pruned', integer({ least: 0 }), 200),
    select: value(
      '--select <rule>',
      'top-n, greedy (from the logits), threshold',
      oneOf('top-n', 'greedy', 'threshold'),
      'top-n',
    ),
    threshold: value('--threshold <score>', 'with --select threshold: the least score that is in', number),
    by: value('--by <order>', 'rank edges by absolute or signed score', oneOf('absolute', 'signed'), 'absolute'),
    examples: value('--examples <n>', 'use the first n pairs of the task only', integer({ least: 1 })),
    seed: value('--seed <n>', 'of splits, random circuits and layout', integer({ least: 0 }), 0),
    bos: value('--bos <when>', 'prepend BOS: auto (as the tokenizer does), true, false', bos),
    split: flag('--no-split', 'use every pair to discover, to choose and to report'),
    force: flag('--force', 'go on although the model does not do the task'),
    runtime: value('--runtime <key>', 'auto, onnx, tfjs, reference', text, 'auto'),
    threads: value('--threads <n>', 'threads of the runtime (default: its own choice)', integer({ least: 1 })),
    memory: value(
      '--memory <amount>',
      'ceiling of the memory used, e.g. 4GiB (default: a share of the machine’s)',
      bytes,
    ),
    layout: value('--layout <kind>', 'of the drawing: layered, force', oneOf('layered', 'force'), 'layered'),
    plain: flag('--plain', 'never compress circuit.json'),
    json: flag('--json', 'print the findings as JSON'),
  },
  run: async ({ signal, onProgress, print }, { json, ...request }) => {
    const { discover: work } = await import('../../run/discover.js');
    const found = await work(request, { signal, onProgress });
    if (json) return print(JSON.stringify(found.record));
    const { describeFindings } = await import('../findings.js');
    print(describeFindings(found));
  },
});
