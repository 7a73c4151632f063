import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'chai';
import { folderTokenizer } from '../../src/model/tokenizer.js';
import type { Tokenizer } from '../../src/model/types.js';
import { checkTask } from '../../src/task/check.js';
import { importTask } from '../../src/task/importers/index.js';
import { resolveTask, shippedTasks } from '../../src/task/files/load.js';
import type { TaskPair } from '../../src/task/schema.js';
import { sharedPath, skipWithout } from '../helpers/shared.js';
import { configFor } from './tokenizers.js';

describe("tasks for SmolLM2's tokenizer", () => {
  let tokenizer: Tokenizer;
  before(async function () {
    const file = skipWithout(
      this,
      sharedPath('models', 'smollm2-135m', 'tokenizer.json'),
      'its tokenizer is not there',
    );
    tokenizer = (await folderTokenizer(dirname(file), readdirSync(dirname(file)))) as Tokenizer;
  });
  const config = () => configFor(tokenizer, { nCtx: 8192 });

  it('are made by every shipped task without a fault, at equal lengths, split 50 : 25 : 25', async () => {
    for (const { source } of await shippedTasks()) {
      const { file, path } = await resolveTask(source.name, { tokenizer, config: config() });
      const { task, findings } = checkTask(file, { path, tokenizer, config: config(), split: true, seed: 0 });
      expect(findings, source.name).to.deep.equal([]);
      const { discover, choose, report } = task?.splits ?? { discover: [], choose: [], report: [] };
      const count = source.generator?.count ?? 0;
      expect([discover.length, choose.length, report.length]).to.deep.equal([count / 2, count / 4, count / 4]);
    }
  });

  it('see a BOS that stands in the text of one prompt, or in both while another is prepended', () => {
    const check = (pair: TaskPair, bos: boolean) =>
      checkTask(
        { name: 't', metric: 'logit-difference', pairs: [pair] },
        { path: 'T.json', tokenizer, config: config(), split: false, seed: 0, bos },
      ).findings;
    const pair = { clean: '<|im_start|>When Mary', corrupt: '<|im_start|>When John', correct: ' a', incorrect: ' b' };
    expect(check(pair, false)).to.deep.equal([]);
    expect(check({ ...pair, corrupt: 'When John and' }, false)[0]?.message).to.match(
      /pair 0, position 0: clean begins with BOS \(id 1, "<\|im_start\|>"\) but corrupt does not/,
    );
    expect(check(pair, true)[0]?.message).to.match(/pair 0, position 1: clean begins with BOS .* twice/);
  });

  it("tokenise the goldens' IOI pairs to the goldens' ids, BOS in front", function () {
    const file = skipWithout(this, sharedPath('goldens', 'smollm2-135m', 'pairs.json'), 'the goldens are not there');
    const golden = JSON.parse(readFileSync(file, 'utf8')) as {
      pairs: {
        clean: string;
        corrupted: string;
        correct: string;
        incorrect: string;
        clean_ids: number[];
        corrupted_ids: number[];
        correct_id: number;
        incorrect_id: number;
      }[];
    };
    const pairs = golden.pairs.map(({ clean, corrupted: corrupt, correct, incorrect }) => ({
      clean,
      corrupt,
      correct,
      incorrect,
    }));
    const { task } = checkTask(
      { name: 'ioi', metric: 'logit-difference', pairs },
      { path: file, tokenizer, config: config(), split: true, seed: 0, bos: true },
    );
    golden.pairs.forEach((pair, index) => {
      const example = task?.examples[index];
      expect(example?.clean).to.deep.equal(pair.clean_ids);
      expect(example?.corrupt).to.deep.equal(pair.corrupted_ids);
      expect(example?.answers).to.deep.equal([
        {
          position: 15,
          correct: { ids: [pair.correct_id], weights: [1] },
          incorrect: { ids: [pair.incorrect_id], weights: [1] },
        },
      ]);
    });
  });

  // counts from the goldens: 327 rows with 172 skipped, and `same_length`
  const imports: readonly (readonly [importer: string, file: string, kept: number, dropped: number])[] = [
    ['eap-ig-csv', 'eap-ig/ioi_llama.csv', 327, 172],
    ['feature-circuits', 'feature-circuits/simple_train.json', 413, 67],
    ['feature-circuits', 'feature-circuits/simple_test.json', 97, 23],
    ['feature-circuits', 'feature-circuits/nounpp_test.json', 414, 66],
  ];
  for (const [importer, name, kept, dropped] of imports) {
    it(`keep ${kept} rows of ${name} and drop ${dropped}, as the goldens do`, function () {
      const file = skipWithout(this, sharedPath('datasets', ...name.split('/')), 'the data set is not there');
      const task = importTask(importer, readFileSync(file, 'utf8'), {
        path: name,
        corrupt: 'corrupted_hard',
        model: { tokenizer, config: config() },
      });
      const counts = (task.provenance as { dropped: { count: number }[] }).dropped.map(({ count }) => count);
      expect(task.pairs).to.have.length(kept);
      expect(counts.reduce((sum, count) => sum + count, 0)).to.equal(dropped);
    });
  }
});
