import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { discover } from '../../src/jobs/discover/discover.js';
import { withJournal } from '../../src/jobs/discover/journal.js';
import type { JobOptions } from '../../src/jobs/job.js';
import { openTask, withWorkbench } from '../../src/jobs/workbench.js';
import { golden, inTemporaryFolder, refused, writeFiles } from '../helpers/model-files.js';

const RUN = fileURLToPath(new URL('../helpers/journalled-run.ts', import.meta.url));

const TASK = {
  ...{ name: 'mine', metric: 'logit-difference', bos: false },
  pairs: [1, 2].map((first) => ({ clean: [first, 2, 3], corrupt: [first, 9, 3], correct: 5, incorrect: 6 })),
};

describe('the journal of exact effects', () => {
  const inFolder = (
    work: (of: {
      journal: string;
      find: (more?: object, options?: JobOptions) => ReturnType<typeof discover>;
    }) => Promise<void>,
  ): Promise<void> =>
    inTemporaryFolder(async (folder) => {
      writeFiles(folder, { 'task.json': TASK });
      const journal = join(folder, 'effects.jsonl');
      const common = { task: join(folder, 'task.json'), model: golden('architectures', 'gpt2'), runtime: 'reference' };
      const fast = { force: true, split: false, randomCircuits: 0, exactEdges: 0 };
      await work({
        journal,
        find: (more = {}, options = {}) => discover({ ...common, ...fast, method: 'exact', journal, ...more }, options),
      });
    });

  it('holds every edge with its effect on every pair, strongest estimate first, and a run goes on from it', () =>
    inFolder(async ({ journal, find }) => {
      const { record } = await find();
      const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
      expect(lines).to.have.lengthOf(1 + record.graph.edges);
      const first = JSON.parse(lines[1]!) as { edge: string; effects: number[] };
      expect(first.effects).to.have.lengthOf(2);
      // what is in the journal is believed, so a changed number shows where it was read from
      const changed = JSON.stringify({ edge: first.edge, effects: [1000, 3000] });
      writeFileSync(journal, [lines[0], changed, ...lines.slice(2), ''].join('\n'));
      const again = await find();
      const found = again.record.circuit.edges.find(({ name }) => name === first.edge);
      expect(found).to.include({ score: 2000 });
    }));

  it('loses no more than a line that was cut short', () =>
    inFolder(async ({ journal, find }) => {
      const whole = await find();
      const text = readFileSync(journal, 'utf8');
      writeFileSync(journal, text.slice(0, -7));
      const again = await find();
      expect(again.record.circuit).to.deep.equal(whole.record.circuit);
      expect(readFileSync(journal, 'utf8').split('\n')).to.have.lengthOf(text.split('\n').length);
    }));

  it('refuses one of another run, and what is no journal', () =>
    inFolder(async ({ journal, find }) => {
      await find();
      await refused(find({ source: 'zero' }), 'discovery/journal', 'another run', 'source');
      appendFileSync(journal, '{"edge":"a9.h9->logits","effects":[1,2]}\n');
      await refused(find(), 'discovery/journal', 'not an edge');
      writeFileSync(journal, 'dear diary\n');
      await refused(find(), 'discovery/journal', 'not JSON');
      await refused(find({ method: 'eap' }), 'cli/usage', '--journal', 'eap');
    }));

  it('is believed only line by line: whatever is no edge with one number for each pair names its line', () =>
    inFolder(async ({ journal, find }) => {
      await find();
      const [heading, first = '', ...others] = readFileSync(journal, 'utf8').trimEnd().split('\n');
      const { edge, effects } = JSON.parse(first) as { edge: string; effects: number[] };
      const lines: readonly unknown[] = [
        ...[null, 5, 'edge', [], {}, { edge: 5 }, { edge }, { effects }, { edge: `${edge}@5`, effects }],
        ...[null, '2', true, [], {}].map((value) => ({ edge, effects: [effects[0], value] })),
        ...[
          { edge, effects: effects[0] },
          { edge, effects: [effects[0]] },
          { edge, effects: [...effects, 0] },
        ],
      ];
      for (const line of lines) {
        const text = [heading, ...others, JSON.stringify(line), ''].join('\n');
        writeFileSync(journal, text);
        await refused(find(), 'discovery/journal', `effects.jsonl:${others.length + 2}: not an edge`, 'with 2 numbers');
        expect(readFileSync(journal, 'utf8')).to.equal(text);
      }
      for (const line of ['{"edge":', '{"edge":"a0.h0->logits","effects":[NaN,1]}', 'null,']) {
        writeFileSync(journal, [heading, line, ...others, ''].join('\n'));
        await refused(find(), 'discovery/journal', 'effects.jsonl:2: not JSON');
      }
    }));

  it('refuses two answers for one edge; the same answer twice is one', () =>
    inFolder(async ({ journal, find }) => {
      const { record } = await find();
      const text = readFileSync(journal, 'utf8');
      const lines = text.trimEnd().split('\n');
      writeFileSync(journal, `${text}${lines[1]}\n`);
      expect((await find()).record.circuit).to.deep.equal(record.circuit);
      const { edge, effects } = JSON.parse(lines[1]!) as { edge: string; effects: number[] };
      writeFileSync(journal, `${text}${JSON.stringify({ edge, effects: effects.map((one) => one + 1) })}\n`);
      await refused(find(), 'discovery/journal', `effects.jsonl:${lines.length + 1}`, edge, 'other effects');
    }));

  it('holds no effect that is not a number', () =>
    inFolder(async ({ journal }) => {
      const bench = { model: golden('architectures', 'gpt2'), runtime: 'reference' };
      await withWorkbench(bench, async (open) => {
        const { task } = await openTask(open.model, {
          ...{ task: join(dirname(journal), 'task.json'), examples: undefined, seed: 0, bos: undefined, split: false },
        });
        const of = { task, examples: task.examples, source: 'other-prompt' };
        const values = (second: number): Float64Array => Float64Array.of(1, second);
        for (const bad of [NaN, Infinity, -Infinity])
          await refused(
            withJournal(journal, { ...open, of }, ({ add }) => add([{ edge: 0, values: values(2) }, { edge: 1, values: values(bad) }])), // prettier-ignore
            'discovery/journal',
            open.engine.universe.edgeName(1),
            'pair 1',
            `${bad}`,
          );
        expect(existsSync(journal)).to.equal(false);
      });
    }));

  it("never touches somebody else's file: not one without a newline, nor what is no file at all", () =>
    inFolder(async ({ journal, find }) => {
      for (const text of ['my only copy', '{"format"', '{"format":"thevenin exact effects 2","weights":"0']) {
        writeFileSync(journal, text);
        const mine = find();
        if (text === '{"format"') await mine;
        else {
          await refused(mine, 'discovery/journal', 'is no journal of effects');
          expect(readFileSync(journal, 'utf8')).to.equal(text);
        }
      }
      await refused(find({ journal: dirname(journal) }), 'file/unreadable', 'is not a file');
    }));

  it('is one process’s at a time, which a second one is told before it computes; one that died leaves it to the next', () =>
    inFolder(async ({ journal, find }) => {
      const holder = (pid: number): string =>
        JSON.stringify({ host: hostname(), pid, began: null, since: 'this morning' });
      writeFileSync(`${journal}.lock`, holder(process.pid));
      const stages: string[] = [];
      await refused(
        find({}, { onProgress: ({ stage }) => stages.push(stage) }),
        'file/in-use',
        ...['effects.jsonl is in use by', `process ${process.pid} on ${hostname()}`, 'this morning', '--journal'],
      );
      expect(stages).to.deep.equal([]);
      expect(existsSync(journal)).to.equal(false);
      writeFileSync(`${journal}.lock`, holder(spawnSync(process.execPath, ['--version']).pid));
      await find();
      expect(readdirSync(dirname(journal)).sort()).to.deep.equal(['effects.jsonl', 'task.json']);
    }));

  it('of a process that is killed holds all of which progress was told, and the run that goes on writes the same bytes', function () {
    this.timeout(400_000); // four processes
    return inTemporaryFolder(async (folder) => {
      const [journal, out] = [join(folder, 'effects.jsonl'), join(folder, 'run')];
      const run = (...given: string[]) =>
        spawnSync(process.execPath, ['--import', 'tsx', RUN, ...given], { encoding: 'utf8' });
      const straight = run(join(folder, 'straight.jsonl'), join(folder, 'straight'));
      expect(straight.status, straight.stderr).to.equal(0);
      const all = readFileSync(join(folder, 'straight.jsonl'), 'utf8');
      let before = 1;
      for (const killAt of ['2', '3']) {
        expect(run(journal, out, killAt).signal).to.equal('SIGKILL');
        const lines = readFileSync(journal, 'utf8').split('\n').length - 1;
        expect(lines, 'more than before, less than all').to.be.within(before + 1, all.split('\n').length - 2);
        expect(all.startsWith(readFileSync(journal, 'utf8'))).to.equal(true);
        before = lines;
      }
      const resumed = run(journal, out);
      expect(resumed.status, resumed.stderr).to.equal(0);
      expect(readFileSync(journal, 'utf8')).to.equal(all);
      for (const name of ['scores.npy', 'evaluation.npy', 'exact.npy', 'circuit.json', 'circuit.svg'])
        expect(readFileSync(join(out, name)), name).to.deep.equal(readFileSync(join(folder, 'straight', name)));
      expect(existsSync(`${journal}.lock`)).to.equal(false);
    });
  });
});
