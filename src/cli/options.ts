/** Options that several commands share. */
import { flag, required, value } from './command.js';
import { bos, bytes, integer, text } from './parse.js';

export const modelOption = required(
  '--model <model>',
  'a model folder, a .gguf file, or a bundled model (see `thevenin models`)',
  text,
);
export const bosOption = value('--bos <when>', 'prepend BOS: auto (as the tokenizer does), true, false', bos);
export const runtimeOption = value(
  '--runtime <key>',
  'auto, onnx, reference or one of tfjs (see `thevenin doctor`)',
  text,
  'auto',
);
export const threadsOption = value(
  '--threads <n>',
  'threads of the runtime (default: its own choice)',
  integer({ least: 1 }),
);
export const memoryOption = value(
  '--memory <amount>',
  'ceiling of the memory used, e.g. 4GiB (default: a share of the machine’s)',
  bytes,
);
export const jsonOption = flag('--json', 'print JSON');
export const examplesOption = value('--examples <n>', 'use the first n pairs of the task only', integer({ least: 1 }));

export const overwriteOption = flag('--overwrite', 'replace the run that the folder of --out holds');

/** How prompts begin, what computes, how it is told: the last options of a command that runs a task. */
export const lastOptions = {
  bos: bosOption,
  runtime: runtimeOption,
  threads: threadsOption,
  memory: memoryOption,
  json: jsonOption,
};
