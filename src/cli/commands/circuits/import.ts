import { defineCommand, required, value } from '../../command.js';
import { jsonOption, overwriteOption } from '../../options.js';
import { number, path, text } from '../../parse.js';

export const importCommand = defineCommand({
  name: 'import',
  summary: "another library's data set as a task file, or its circuit as a file that evaluate and compare take",
  arguments: [{ name: '<file>', description: 'what the other library wrote' }],
  options: {
    from: required('--from <library>', 'eap-ig, mib, auto-circuit, acdc or feature-circuits', text),
    out: required('--out <file>', 'the task or circuit file that is written', path),
    model: value(
      '--model <model>',
      'of a data set: pairs that do not fit it are left out; of a list of edges: the model that they are of',
      text,
    ),
    name: value('--name <name>', "of a task (default: the library's name)", text),
    corrupt: value('--corrupt <column>', 'of a data set with several: the column of the corrupt prompt', text),
    scale: value('--scale <x>', "of a graph: its scores times this are means over pairs (EAP-IG's batch size)", number),
    overwrite: overwriteOption,
    json: jsonOption,
  },
  run: async ({ print }, { json, ...options }, file = '') => {
    const { importFile } = await import('../../../jobs/circuits/import.js');
    const imported = await importFile({ ...options, file });
    if (json) return print(JSON.stringify(imported));
    const { kind, out, note } = imported;
    const what = kind === 'task' ? `${imported.pairs} pairs` : `${imported.edges} of ${imported.of} edges`;
    print(`written: ${out}, a ${kind} of ${what}${note === '' ? '' : ` (${note})`}`);
  },
});
