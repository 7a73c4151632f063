import { defineCommand, value } from '../../command.js';
import { path } from '../../parse.js';
import { overwriteOption, runtimeOption, threadsOption } from '../../options.js';

export const demo = defineCommand({
  name: 'demo',
  summary: 'discover the induction circuit and the IOI circuit on the bundled models',
  options: {
    out: value('--out <folder>', 'where the reports are written', path, 'reports'),
    overwrite: overwriteOption,
    runtime: runtimeOption,
    threads: threadsOption,
  },
  run: async ({ signal, onProgress, print }, options) => {
    const { measureMachine } = await import('../../../jobs/machine.js');
    const { title, gflops } = await measureMachine(options);
    print(`thevenin · ${title}, ${gflops.toFixed(0)} GFLOP/s\n`);
    const { demo: work } = await import('../../../jobs/inspect/demo.js');
    const { describeFindings } = await import('../../views/findings.js');
    for await (const { record, written } of work(options, { signal, onProgress }))
      print(`${describeFindings(record, written)}\n`);
  },
});
