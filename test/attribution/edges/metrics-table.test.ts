/** Every method under every metric: it answers, or it says why it cannot; never silence, and never an empty circuit. */
import { expect } from 'chai';
import { findMethod, METHODS } from '../../../src/attribution/edges/index.js';
import type { Attribution } from '../../../src/attribution/edges/types.js';
import { METRICS } from '../../../src/engine/metrics/index.js';
import type { Engine } from '../../../src/engine/core/engine.js';
import { countIn, prune } from '../../../src/circuit/prune.js';
import { selectCircuit } from '../../../src/circuit/select.js';
import { TheveninError } from '../../../src/errors.js';
import { createRuntime, type Runtime } from '../../../src/runtime/index.js';
import type { Answer, Example, MetricKey } from '../../../src/task/types.js';
import { batchOf, withEngine } from '../../helpers/engine.js';
import { randomModel, SHAPES } from '../../helpers/models/hand-made.js';
import { everyOption, type EveryContext } from '../../helpers/options.js';

const SHAPE = SHAPES['LayerNorm, learned positions, biases'];
/** Models with a vocabulary to put out, and with one number. */
const OUTPUTS = { vocabulary: 11, number: 1 };
const METRIC_KEYS = Object.keys(METRICS) as MetricKey[];
const outputOf = (metric: MetricKey): number =>
  METRICS[metric].reads === 'target' ? OUTPUTS.number : OUTPUTS.vocabulary;

/** Correct and incorrect tokens, and a target that the model does not hit: its gradient there is not zero. */
const answer = (correct: number, incorrect: number): Answer => ({
  position: 3,
  correct: { ids: [correct], weights: [1] },
  incorrect: { ids: [incorrect], weights: [1] },
  target: 3,
});
const PAIRS = [
  { clean: [0, 1, 2, 3], corrupt: [0, 4, 2, 5], answers: [answer(6, 7)] },
  { clean: [8, 2, 9, 1], corrupt: [8, 10, 9, 4], answers: [answer(1, 2)] },
];
/** Small enough for a table: few updates, and a τ below what any edge of this model is worth. */
const OPTIONS = everyOption({ steps: 2, tau: 1e-6, edges: 30, updates: 8, restarts: 1, lambda: 0.01 });

const asOneNumber = (examples: readonly Example[]): Example[] =>
  examples.map((example) => ({
    ...example,
    answers: example.answers.map((one) => ({
      ...one,
      correct: { ids: [], weights: [] },
      incorrect: { ids: [], weights: [] },
    })),
  }));

describe('methods × metrics', () => {
  let runtime: Runtime;
  before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());

  async function ask(key: string, metric: MetricKey): Promise<{ engine: Engine; found: Attribution }> {
    const method = findMethod(key);
    const examples =
      METRICS[metric].reads === 'target' ? asOneNumber(batchOf(PAIRS).examples) : batchOf(PAIRS).examples;
    const model = randomModel({ ...SHAPE, dVocabOut: outputOf(metric) }, 7);
    return withEngine({ model, runtime }, async (engine) => {
      method.check?.({ metric, options: OPTIONS });
      const context: EveryContext = {
        ...{ engine, examples, metric, options: OPTIONS, signal: new AbortController().signal },
        onProgress: () => undefined,
      };
      return { engine, found: await method.run(context) };
    });
  }

  /** What cannot be answered, with the reason's code; everything else is. */
  const REFUSED = new Map(
    ['eap', 'atp-star', 'atp-star-graddrop', 'relp', 'gim', 'hisp'].map((key) => [
      `${key} · kl-divergence`,
      'discovery/gradient',
    ]),
  );

  for (const { key } of METHODS)
    for (const metric of METRIC_KEYS)
      it(`${key} · ${metric}`, async () => {
        const outcome = await ask(key, metric).catch((error: unknown) => error);
        const code = REFUSED.get(`${key} · ${metric}`);
        if (code !== undefined) {
          expect(outcome).instanceOf(TheveninError).with.property('code', code);
          return;
        }
        if (outcome instanceof Error) throw outcome;
        const { engine, found } = outcome as { engine: Engine; found: Attribution };
        const { universe } = engine;
        expect([...found.scores.mean].every(Number.isFinite), 'finite').equal(true);
        expect(
          [...found.scores.mean].some((score) => score !== 0),
          'some edge is worth something',
        ).equal(true);
        const edges = found.found
          ? prune(universe, found.found.edges)
          : selectCircuit(universe, found.scores.mean, { rule: 'top-n', by: 'absolute', requested: 30 }).edges;
        expect(countIn(edges), 'a circuit that is not empty').greaterThan(0);
      });
});
