/** What a run says that it cost, and how long it says beforehand that a stage will take: counted passes at a counted pace. */
import { expect } from 'chai';
import { findMethod } from '../../src/attribution/edges/index.js';
import { extentOf } from '../../src/attribution/edges/extent.js';
import { fitMemory } from '../../src/attribution/edges/memory.js';
import { noCounts, type Counters } from '../../src/engine/core/counters.js';
import { projected } from '../../src/engine/core/rehearse.js';
import { withSession } from '../../src/engine/questions/session.js';
import { discover } from '../../src/jobs/discover/discover.js';
import { paceOf, secondsFor, Stages, type FinishedStage } from '../../src/jobs/stages.js';
import { loadModel } from '../../src/model/load.js';
import type { ProgressEvent } from '../../src/progress.js';
import { createRuntime } from '../../src/runtime/index.js';
import { batchOf, contrast, withEngine } from '../helpers/engine.js';
import { randomModel } from '../helpers/models/random-model.js';

const examples = batchOf(
  [0, 1, 2, 3].map((i) => ({ clean: [i, 3, 5, 1], corrupt: [i + 1, 3, 4, 1], answers: [contrast(3, 1, 2)] })),
).examples;

const stageOf = (stage: string, seconds: number, counts: Partial<Counters>): FinishedStage => ({
  stage,
  seconds,
  counts: { ...noCounts(), ...counts },
});

describe('the pace of a stage', () => {
  const stage = stageOf('prompts', 7, { work: 1000, kernelSeconds: 5, prepared: 50, preparingSeconds: 2 });

  it('is its time in kernels for each unit of work, and its time of preparation for each unit of that', () => {
    expect(paceOf([stage])).to.deep.equal({ secondsPerWork: 5 / 1000, secondsPerPrepared: 2 / 50 });
    expect(secondsFor({ work: 3000, prepared: 25 }, paceOf([stage]))).to.equal(15 + 1);
  });

  it('is not known of a stage that computed nothing or did not happen', () => {
    expect(paceOf([stageOf('reading', 3, {})])).to.equal(null);
    expect(paceOf([])).to.equal(null);
    expect(secondsFor({ work: 3000, prepared: 25 }, null)).to.equal(null);
    expect(secondsFor({ work: null, prepared: 25 }, paceOf([stage]))).to.equal(null);
  });

  it('is asked for by name: what lies between does not change it', async () => {
    const runtime = await createRuntime('reference', { threads: 1 });
    await withEngine({ model: randomModel({ nLayers: 2 }, 3), runtime }, async (engine) => {
      const stages = new Stages(() => undefined, new AbortController().signal);
      stages.watch(engine);
      const both = { metric: 'logit-difference', direction: 'noising' } as const;
      const prompts = (): Promise<void> => withSession(engine, { length: 4, examples }, both, () => Promise.resolve());
      await stages.run('prompts', 4, prompts);
      const pace = stages.paceOf('prompts');
      await stages.run('nothing', 1, () => Promise.resolve());
      expect(stages.paceOf('prompts')).to.deep.equal(pace).and.not.equal(null);
      expect(stages.paceOf('nothing')).to.equal(null);
      expect(stages.finished.map(({ counts }) => counts.forwardPasses)).to.deep.equal([8, 0]);
    });
    await runtime.dispose();
  });
});

describe('work that was gone through on shapes', () => {
  it('is, unit for unit, the work that is then done', async () => {
    const runtime = await createRuntime('reference', { threads: 1 });
    await withEngine({ model: randomModel({ nLayers: 2 }, 3), runtime }, async (engine) => {
      const options = { steps: 3, rule: 'midpoint' } as const;
      const { signal } = new AbortController();
      const context = {
        engine,
        examples,
        metric: 'logit-difference',
        options,
        signal,
        onProgress: () => undefined,
      } as const;
      for (const key of ['eap', 'eap-ig', 'exact', 'relp']) {
        const method = findMethod(key);
        const rehearsed = await fitMemory(method, context);
        const { work, prepared } = engine.counters;
        await method.run(context);
        expect(engine.counters.work - work, key).to.equal(rehearsed.work);
        expect(engine.counters.prepared - prepared, key).to.equal(rehearsed.prepared);
      }
      const again = await fitMemory(findMethod('eap'), context);
      expect(again.prepared, 'kernels that are prepared are not prepared again').to.equal(0);
    });
    await runtime.dispose();
  });

  it('goes on at the pace between the first word of it and the last, where it was broken off', () => {
    const told = [
      { share: 0, work: 100 },
      { share: 0.1, work: 130 },
      { share: 0.25, work: 150 },
    ];
    expect(projected(told)).to.equal(150 + (50 / 0.25) * 0.75);
    expect(projected(told.slice(0, 1))).to.equal(null);
    expect(projected([])).to.equal(null);
  });
});

describe('the cost in a record of discovery', () => {
  it('is what the engine counted, stage by stage: of the method what it states, of the others what they ask', async function () {
    this.timeout(120_000);
    const notes: ProgressEvent[] = [];
    const asked = { task: 'induction', model: 'induction', method: 'eap', edges: 20, examples: 16 } as const;
    const { record } = await discover(
      { ...asked, exactEdges: 3, randomCircuits: 2, minimal: 0.5 },
      { onProgress: (event) => notes.push(event) },
    );
    const { discover: own, report } = record.task.splits;
    const of = (name: RegExp) => record.cost.stages!.find(({ stage }) => name.test(stage))!;
    expect(of(/does the model/)).to.include({ forwardPasses: 2 * 16, backwardPasses: 0 });
    // the third pass and the way back begin at the first token that differs
    expect(of(/^EAP$/).forwardPasses).to.be.within(2 * own + 1, 3 * own);
    expect(of(/^EAP$/).backwardPasses).to.be.within(1, own);
    expect(of(/held-out/).forwardPasses).to.be.within(2 * report, (3 + 3) * report);
    expect(of(/elimination/).forwardPasses).to.be.above(0);
    const sum = (key: 'tokens' | 'forwardPasses' | 'backwardPasses'): number =>
      record.cost.stages!.reduce((all, stage) => all + stage[key], 0);
    for (const key of ['tokens', 'forwardPasses', 'backwardPasses'] as const)
      expect(record.cost[key]).to.equal(sum(key));
    const first = notes.find(({ stage, note }) => stage === 'EAP' && note !== undefined);
    expect(first).to.include({ done: 0 });
    expect(first?.note).to.match(/^3 forward \+ 1 backward passes per pair, about [\d.]+ m?s, about [\d.]+ MiB$/);
  });

  it('has the passes that a method states at hand before it runs', async () => {
    const model = await loadModel('induction');
    const runtime = await createRuntime('reference', { threads: 1 });
    await withEngine({ model, runtime }, (engine) => {
      expect(extentOf(engine, examples)).to.deep.equal({ edges: engine.universe.edgeCount, layers: 2, minibatches: 1 });
      return Promise.resolve();
    });
    await runtime.dispose();
    await model.dispose();
  });
});
