import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HopsRecord } from '../../src/report/records/hops.js';
import { trace } from '../../src/jobs/interventions/trace.js';
import { runCli } from '../helpers/cli.js';
import { golden, inTemporaryFolder, refused, writeFiles } from '../helpers/model-files.js';

const MODEL = golden('architectures', 'gpt2');
const TASK = {
  ...{ name: 'mine', metric: 'logit-difference', bos: false },
  pairs: [
    { clean: [1, 2, 3, 4], corrupt: [1, 9, 3, 4], correct: 5, incorrect: 6 },
    { clean: [7, 2, 3, 4], corrupt: [7, 8, 3, 4], correct: 6, incorrect: 5 },
  ],
};

const withTask = <T>(work: (task: string, folder: string) => Promise<T>): Promise<T> =>
  inTemporaryFolder((folder) => {
    writeFiles(folder, { 'task.json': TASK });
    return work(join(folder, 'task.json'), folder);
  });

describe('tracing the strongest paths of a task', () => {
  it('writes them as a tree with intervals and shares, and prints it', () =>
    withTask(async (task, out) => {
      const words = ['paths', '--task', task, '--model', MODEL, '--width', '2', '--out', out];
      const { code, stdout, stderr } = await runCli(words);
      expect(code, stderr).to.equal(0);
      const record = JSON.parse(readFileSync(join(out, 'hops.json'), 'utf8')) as HopsRecord;
      expect(record.hops).to.have.lengthOf(2);
      for (const { effect, low, high, share, path } of record.hops) {
        expect(low! <= effect && effect <= high!).to.equal(true);
        expect(share).to.be.closeTo(effect / (record.corrupt - record.clean), 1e-12);
        expect(stdout).to.include(path);
      }
    }));

  it('refuses receivers that the model has not, before any compute', () =>
    withTask((task) => refused(trace({ task, model: MODEL, to: 'a5.h0<q>' }), 'interventions/path', 'a5.h0<q>')));
});
