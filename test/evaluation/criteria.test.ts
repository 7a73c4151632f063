/**
 * Criteria on the micro model, whose circuits can be worked out: it is linear and its corrupt prompt the negative of the clean one, so
 * that a path counts where all its edges are kept and faithfulness is the share of the paths' weights that count.
 */
import { expect } from 'chai';
import { CRITERIA, type Criterion } from '../../src/evaluation/index.js';
import { evaluateCircuit, type EvaluateOptions } from '../../src/evaluation/evaluate.js';
import type { Engine } from '../../src/engine/core/engine.js';
import { evaluation as evaluationTable } from '../../src/report/pages/judgement.js';
import { createRuntime, type Runtime } from '../../src/runtime/index.js';
import { batchOf, contrast, withEngine, type Pair } from '../helpers/engine.js';
import { recordOf } from '../helpers/report.js';
import { MICRO } from '../helpers/models/micro.js';

/** Output 1 minus output 0 is 24 on the clean prompt of scale 1, and the more the larger the scale. */
const pairOf = (clean: number, corrupt: number): Pair => ({
  clean: [clean],
  corrupt: [corrupt],
  answers: [contrast(0, 1, 0)],
});
const PAIRS = [pairOf(0, 3), pairOf(1, 4), pairOf(2, 5)];
const CIRCUIT = ['input->a0.h1<v>', 'a0.h1->a1.h1<v>', 'a1.h1->logits'];

describe('criteria', () => {
  let runtime: Runtime;
  before(async () => (runtime = await createRuntime('reference', { threads: 1 })));
  after(() => runtime.dispose());

  const edgesOf = ({ universe }: Engine, names: readonly string[]): Uint8Array => {
    const edges = new Uint8Array(universe.edgeCount);
    for (const name of names) edges[universe.edgeIndex(name)!] = 1;
    return edges;
  };

  const evaluate = (names: readonly string[], more: Partial<EvaluateOptions> = {}, random: readonly string[][] = []) =>
    withEngine({ model: MICRO, runtime }, async (engine) => {
      const options = {
        metric: 'logit-difference' as const,
        random: random.map((one) => edgesOf(engine, one)),
        ...more,
      };
      const found = await evaluateCircuit(engine, batchOf(PAIRS).examples, edgesOf(engine, names), options);
      return { ...found, of: (key: string) => found.criteria.find((one) => one.key === key)! };
    });

  it('have keys of their own, a title and a reference', () => {
    expect(new Set(CRITERIA.map(({ key }) => key)).size).to.equal(CRITERIA.length);
    for (const { key, title, reference } of CRITERIA) {
      expect(key).to.match(/^[a-z]+(-[a-z]+)*$/);
      expect(title, key).not.to.equal('');
      expect(reference, key).not.to.equal('');
    }
  });

  it('faithfulness is the share of the gap that the circuit keeps, and the complement what the rest keeps', async () => {
    // the path through both strong heads is 4 · 4 − 3 · 3 = 7 of 24
    const { of } = await evaluate(CIRCUIT);
    expect(of('faithfulness').value).to.be.closeTo(7 / 24, 1e-9);
    // without its edges are left: input→logits 0, a0.h0→logits 1, input→a1.h0 1, a0.h0→a1.h0 2 · 2 − 1 = 3
    expect(of('complement').value).to.be.closeTo(5 / 24, 1e-9);
    expect(of('edges')).to.include({ value: 3, counts: true, count: 0 });
    expect(of('nodes')).to.include({ value: 4 });
  });

  it('the whole model is faithful, alike in all pairs, says what the model says and leaves nothing', async () => {
    const { universe } = await withEngine({ model: MICRO, runtime }, (engine) => Promise.resolve(engine));
    const everything = Array.from({ length: universe.edgeCount }, (_, edge) => universe.edgeName(edge));
    const { of } = await evaluate(everything);
    expect(of('faithfulness').value).to.be.closeTo(1, 1e-12);
    expect(of('faithfulness').note).to.equal('the same for all 3 pairs: the interval has no width');
    expect(of('complement').value).to.be.closeTo(0, 1e-12);
    expect(of('kl-divergence').value).to.be.closeTo(0, 1e-12);
    expect(of('accuracy').value).to.equal(100);
  });

  it('a percentile is among the random circuits that were given; without them there is none', async () => {
    const weaker = ['input->a1.h0<v>', 'a1.h0->logits'];
    const among = await evaluate(CIRCUIT, {}, [weaker, ['input->logits'], CIRCUIT]);
    expect(among.of('percentile').value).to.be.closeTo((100 * 2.5) / 3, 1e-9);
    const alone = await evaluate(CIRCUIT);
    expect(alone.criteria.map(({ key }) => key)).to.deep.equal(
      CRITERIA.map(({ key }) => key).filter((key) => key !== 'percentile'),
    );
  });

  it('accuracy is that of the circuit: a third of a gap around 0 is on the wrong side', async () => {
    // faithfulness f puts the metric at (2 f − 1) · 24 · scale: below 0 for 7 / 24
    const { of } = await evaluate(CIRCUIT);
    expect(of('accuracy').value).to.equal(0);
    expect(of('accuracy').high).to.be.greaterThan(50); // three pairs do not say much
    expect(of('accuracy').note).to.equal('the model: 100 %');
  });

  it('a new one is a file and a line: evaluation, record and page take it from there', async () => {
    const worst: Criterion = {
      ...{ key: 'worst-pair', title: 'the least faithful pair', reference: 'this test', unit: '' },
      needs: ({ circuit, metric }) => ({ metric, circuits: [circuit] }),
      run: (_, { clean, corrupt, circuits }) => {
        const shares = clean.map((value, i) => (circuits[0]![i]! - corrupt[i]!) / (value - corrupt[i]!));
        return { value: Math.min(...shares), low: null, high: null, count: clean.length, note: 'of three' };
      },
    };
    const { criteria } = await evaluate(CIRCUIT, { criteria: [...CRITERIA, worst] });
    const { key, value } = criteria.at(-1)!;
    expect(key).to.equal('worst-pair');
    expect(value).to.be.closeTo(7 / 24, 1e-9);
    const { universe } = await withEngine({ model: MICRO, runtime }, (engine) => Promise.resolve(engine));
    const record = recordOf(universe, new Float64Array(universe.edgeCount).fill(1));
    const { rows } = evaluationTable({ ...record, evaluation: { ...record.evaluation, criteria } });
    expect(rows.at(-1)).to.deep.equal(['the least faithful pair', '0.292 (of three)']);
  });

  it('every circuit runs once for each metric, whoever needs it', async () => {
    const before = await evaluate(CIRCUIT);
    // clean, corrupt, circuit, complement; and for KL clean, corrupt, circuit
    expect(before.passes).to.equal(7);
    const twice = await evaluate(CIRCUIT, { criteria: [...CRITERIA, ...CRITERIA] });
    expect(twice.passes).to.equal(8); // each complement is an array of its own
  });
});
