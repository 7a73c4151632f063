/** The known failure of each method, on models whose circuit is known; docs/failures.md explains and draws them. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { andGate, backupHead, orGate, turned, type Known } from '../../../docs/failures/models.js';
import { scoresOf, type Answered, type Asked } from '../../../docs/failures/scores.js';
import type { AcdcOrder } from '../../../src/attribution/edges/acdc/order.js';
import { METHODS } from '../../../src/attribution/edges/index.js';
import { Engine } from '../../../src/engine/core/engine.js';
import type { Site } from '../../../src/engine/questions/questions.js';
import { withSession } from '../../../src/engine/questions/session.js';
import { loadModel } from '../../../src/model/load.js';
import type { Model } from '../../../src/model/types.js';
import { createRuntime, type Runtime } from '../../../src/runtime/index.js';
import type { Example } from '../../../src/task/types.js';
import { batchOf, contrast } from '../../helpers/engine.js';
import { golden } from '../../helpers/model-files.js';
import { AND, BACKUP_ROWS, OR, wayThrough, type Expected, type Row, type Scores } from './failure-tables.js';

let runtime: Runtime;
before(async () => void (runtime = await createRuntime('reference', { threads: 1 })));
after(() => runtime.dispose());

const ask = (
  known: Pick<Known, 'model' | 'example'>,
  key: string,
  asked: Omit<Asked, 'runtime'> = {},
): Promise<Answered> => scoresOf(known, key, { runtime, ...asked });

function expectScores({ scores }: Answered, expected: Scores, tolerance = 1e-5): void {
  for (const [edge, score] of scores) expect(score, edge).to.be.closeTo(expected[edge] ?? 0, tolerance);
  expect([...scores.keys()]).to.include.members(Object.keys(expected));
}

const pruningTo = (edges: number) => ({ edges });

describe('what each method sees of a circuit that is known', () => {
  const tables: readonly [Known, Readonly<Record<string, Row>>][] = [
    [orGate(), OR],
    [andGate(), AND],
    [backupHead(), BACKUP_ROWS],
  ];
  for (const [known, rows] of tables)
    describe(known.name, () => {
      const expectRow = async (key: string, expected: Expected, asked: Omit<Asked, 'runtime'>) => {
        const answered = await ask(known, key, asked);
        if (typeof expected === 'function') expected(answered);
        else expectScores(answered, expected);
      };

      it('every method of the registry has a row', () =>
        expect(Object.keys(rows)).to.have.members(METHODS.map(({ key }) => key)));

      for (const [key, { on, off, edges = [4, 4] }] of Object.entries(rows)) {
        it(`${key}, noising`, () => expectRow(key, on, { options: pruningTo(edges[0]) }));
        it(`${key}, denoising`, () =>
          expectRow(key, off, { examples: [turned(known.example)], options: pruningTo(edges[1]) }));
      }
    });
});

describe('the OR gate of a stranger, of 75 edges and 32 pairs', () => {
  interface Truth {
    readonly edges: readonly string[];
    readonly expected: Readonly<Record<string, Scores>>;
    readonly task: {
      readonly pairs: readonly Record<'clean' | 'corrupt' | 'clean_output' | 'corrupt_output' | 'differ', number[]>[];
    };
  }
  const truth = JSON.parse(readFileSync(golden('ground-truth', 'or-gate', 'circuit.json'), 'utf8')) as Truth;
  const { examples } = batchOf(
    truth.task.pairs.map(({ clean, corrupt, clean_output, corrupt_output, differ }) => ({
      ...{ clean, corrupt },
      answers: differ.map((at) => contrast(at, clean_output[at]!, corrupt_output[at]!)),
    })),
  );
  let model: Model;
  before(async () => void (model = await loadModel(golden('ground-truth', 'or-gate'))));
  after(() => model.dispose());
  const answer = (key: string, way: 'on' | 'off' = 'on'): Promise<Answered> =>
    ask({ model, example: examples[0]! }, key, { examples: way === 'on' ? examples : examples.map(turned) });
  /** five groups here: two more layers of nodes that carry nothing, below which the slopes of the base run stay */
  const ACTIVATIONS = {
    on: { bits: 1 / 5, heads: 2 / 5 }, // embedding: 1; heads: 1 into the MLP; MLP, second layer: 0
    off: { bits: (1 + 2 + 2) / 5, heads: (1 + 1 + 2 + 2) / 5 },
  };
  const effects = ['exact', 'eap', 'clean-corrupted', 'eap-ig', 'atp-star', 'atp-star-graddrop', 'relp', 'gim'];
  const others = ['eap-ig-activations', 'acdc', 'edge-pruning', 'subnetwork-probing', 'information-flow-routes'];

  it('every method of the registry is asked', () =>
    expect([...effects, ...others, 'hisp', 'magnitude', 'random']).to.have.members(METHODS.map(({ key }) => key)));

  for (const way of ['on', 'off'] as const) {
    for (const key of effects)
      it(`${key}, ${way === 'on' ? 'noising' : 'denoising'}: as of the small one, and 0 of the 70 other edges`, async () =>
        expectScores(await answer(key, way), OR[key]![way] as Scores));
    it(`eap-ig-activations, ${way === 'on' ? 'noising' : 'denoising'}`, async () => {
      const { bits, heads } = ACTIVATIONS[way];
      const arms = Object.fromEntries(
        truth.edges.map((edge) => [edge, edge.endsWith('<v>') ? bits : edge.endsWith('m0') ? heads : 2]),
      );
      expectScores(await answer('eap-ig-activations', way), arms);
    });
  }

  it('the tables that came with it say the same', () => {
    const named = (scores: Scores): Scores => Object.fromEntries(Object.entries(scores).filter(([, x]) => x !== 0));
    expect(truth.expected['noising_single_edge']).to.deep.equal(named(OR['exact']!.on as Scores));
    expect(truth.expected['denoising_single_edge']).to.deep.equal(named(OR['exact']!.off as Scores));
    expect(truth.expected['eap']).to.deep.equal(named(OR['eap']!.on as Scores));
    expect(truth.expected['eap_ig_inputs_midpoint_10']).to.deep.equal(named(OR['eap-ig']!.on as Scores));
  });

  it('ACDC keeps one arm, noising; both, denoising', async () => {
    expect((await answer('acdc')).found).to.have.members(truth.edges.filter((edge) => !edge.includes('h1')));
    expect((await answer('acdc', 'off')).found).to.have.members(truth.edges);
  });

  it('edge pruning and subnetwork probing keep one arm', async () => {
    const few = { examples: examples.slice(0, 4) };
    const known = { model, example: examples[0]! };
    const { found } = await ask(known, 'edge-pruning', { ...few, options: pruningTo(4) });
    expect(wayThrough(found!)).to.be.oneOf([0, 1]);
    const options = { lambda: 3 }; // 3/8 for every node
    const { scores } = await ask(known, 'subnetwork-probing', { ...few, options });
    const open = [...scores].filter(([edge, score]) => /^[am].*->logits/.test(edge) && score > 0.5);
    expect([
      ['a0.h0->logits', 'm0->logits'],
      ['a0.h1->logits', 'm0->logits'],
    ]).to.deep.include(open.map(([edge]) => edge));
  });

  it('HISP, as of the small one: the MLP, and edges past the gate', async () =>
    expectScores(await answer('hisp'), OR['hisp']!.on as Scores));

  it('routes and magnitude give edges their share that lead nowhere', async () => {
    for (const key of ['information-flow-routes', 'magnitude'])
      expect((await answer(key)).scores.get('a0.h2->m1'), key).to.be.above(0.01);
  });

  it('random scores are those of any model', async () => {
    const [here, there] = [await answer('random'), await ask(andGate(), 'random')];
    const few = [...there.scores.values()];
    expect([...here.scores.values()].slice(0, few.length)).to.deep.equal(few);
  });
});

describe('single cuts do not add up', () => {
  const total = ({ scores }: Answered, from: string): number =>
    [...scores].reduce((sum, [edge, score]) => sum + (edge.startsWith(`${from}->`) ? score : 0), 0);

  it('of 2 that the bits bring, the cuts of either bit take 0 from an OR, 4 from an AND', async () => {
    expect(total(await ask(orGate(), 'exact'), 'input')).to.equal(0);
    expect(total(await ask(andGate(), 'exact'), 'input')).to.equal(4);
  });

  it('integrated gradients share the 2 among both', async () => {
    for (const known of [orGate(), andGate()])
      expect(total(await ask(known, 'eap-ig'), 'input')).to.be.closeTo(2, 1e-12);
  });
});

describe('a backed-up head', () => {
  const known = backupHead();
  /** metric of the clean run − metric with heads replaced by what they say on the corrupt prompt */
  const lost = async (layers: readonly number[]): Promise<number> => {
    const engine = new Engine(known.model, runtime);
    const batch = { length: known.example.clean.length, examples: [known.example] };
    const sites: Site[] = layers.map((layer) => ({ kind: 'z', layer, heads: [0] }));
    const [after] = await withSession(engine, batch, { metric: 'logit-difference', direction: 'noising' }, (session) =>
      session.ask([{ kind: 'sites', sites }]),
    ).finally(() => engine.dispose());
    return 1 - after![0]!;
  };

  it('nothing is lost without the one, nothing without the other, all without both', async () => {
    expect(await lost([0])).to.be.closeTo(0, 1e-12);
    expect(await lost([1])).to.be.closeTo(0, 1e-12);
    expect(await lost([0, 1])).to.be.closeTo(2, 1e-12);
  });

  it("plain gradients give the first head's input 2 that it does not have: the −2 on the other path is behind a softmax that has decided", async () => {
    const [eap, exact] = [await ask(known, 'eap'), await ask(known, 'exact')];
    const edge = 'input->a0.h0<v>';
    expect([eap.scores.get(edge), exact.scores.get(edge)].map((x) => Math.round(1e6 * x!) / 1e6)).to.deep.equal([2, 0]);
  });

  it('constants are seen by zeros alone', async () => {
    // zeros for what asks or answers: a head looks at all three places alike, and a third of the bit comes through
    const third = -2 / 3;
    const constant = { 'input->a0.h0<q>': third, 'input->a0.h0<k>': third, 'input->a1.h0<k>': third };
    const seen = { 'a0.h0->logits': 2, 'a0.h0->a1.h0<q>': -2 };
    expectScores(await ask(known, 'exact', { source: 'zero' }), { ...seen, ...constant });
    expectScores(await ask(known, 'exact'), seen);
    // and by gradients not even then, where the softmax has decided
    expectScores(await ask(known, 'eap', { source: 'zero' }), { 'a0.h0->logits': 2, 'input->a0.h0<v>': 2 });
  });
});

describe('where the points of an integral lie', () => {
  const ig = async (known: Known, steps: number, rule: 'left' | 'right' | 'midpoint'): Promise<Answered> =>
    ask(known, 'eap-ig', { options: { steps, rule } });

  it('left points lean to the corrupt prompt, right ones to the clean: of an OR they see 3 and 2 slopes of 5', async () => {
    expect((await ig(orGate(), 5, 'left')).scores.get('a0.h0->m0')).to.be.closeTo((3 / 5) * 2, 1e-6);
    expect((await ig(orGate(), 5, 'right')).scores.get('a0.h0->m0')).to.be.closeTo((2 / 5) * 2, 1e-6);
  });

  // R = ½ p, p = σ(64 (1 − 2 P)): at P = ½ the metric has the slope 2 · ½ · (−128 / 4) = −32 in P, elsewhere none
  it('beside a jump they miss it, on it they take its slope for far more than its height', async () => {
    expect((await ig(backupHead(), 4, 'midpoint')).scores.get('a0.h0->a1.h0<q>')).to.be.closeTo(0, 1e-5);
    const { scores } = await ig(backupHead(), 5, 'midpoint');
    expect(scores.get('a0.h0->a1.h0<q>')).to.be.closeTo(-32 / 5, 1e-6);
    expect(scores.get('input->a0.h0<v>')).to.be.closeTo(2 - 32 / 5, 1e-6);
  });

  it('with very many the jump has its height: R falls from ½ to 0, and what the embedding sends sums to 2', async () => {
    const { scores } = await ig(backupHead(), 2001, 'midpoint');
    const expected = { 'input->a0.h0<v>': 2 - 1, 'a0.h0->a1.h0<q>': -1, 'input->a1.h0<v>': 1, 'a0.h0->logits': 2 };
    for (const [edge, score] of Object.entries(expected)) expect(scores.get(edge), edge).to.be.closeTo(score, 1e-3);
  });
});

describe('a search keeps one of two', () => {
  const acdc = async (known: Known, order: AcdcOrder, examples: readonly Example[] = [known.example]) =>
    (await ask(known, 'acdc', { examples, options: { order } })).found!;

  it('ACDC: the one it tries last; of an AND that is off, too', async () => {
    for (const [known, examples] of [
      [orGate(), [orGate().example]],
      [andGate(), [turned(andGate().example)]],
    ] as const) {
      expect(wayThrough(await acdc(known, 'reverse', examples))).to.equal(0);
      expect(wayThrough(await acdc(known, 'normal', examples))).to.equal(1);
    }
  });

  it('ACDC at random: either, by the seed', async () => {
    const kept = await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => acdc(orGate(), `random:${seed}`)));
    expect([...new Set(kept.map(wayThrough))]).to.have.members([0, 1]);
  });

  it('edge pruning: either, by the seed', async () => {
    const kept: (0 | 1 | null)[] = [];
    for (let seed = 0; seed < 4; seed++)
      kept.push(wayThrough((await ask(orGate(), 'edge-pruning', { options: { ...pruningTo(4), seed } })).found!));
    expect([...new Set(kept)]).to.have.members([0, 1]);
  });

  it('ACDC keeps no backup in whatever order: once the second head is cut, the first is needed; while the first speaks, the second is not', async () => {
    for (const order of ['reverse', 'normal', 'random:1'] as const)
      expect(await acdc(backupHead(), order)).to.have.members(['input->a0.h0<v>', 'a0.h0->logits']);
  });
});

describe('contributions and magnitudes do not know the task', () => {
  it('with the answers turned the exact effects turn, the routes and the magnitudes stay', async () => {
    const known = andGate();
    const { correct, incorrect, position } = known.example.answers[0]!;
    const examples = [{ ...known.example, answers: [{ position, correct: incorrect, incorrect: correct }] }];
    for (const key of ['information-flow-routes', 'magnitude'])
      expect((await ask(known, key, { examples })).scores, key).to.deep.equal((await ask(known, key)).scores);
    const exact = AND['exact']!.on as Scores;
    const against = Object.fromEntries(Object.entries(exact).map(([edge, score]) => [edge, -score]));
    expectScores(await ask(known, 'exact', { examples }), against);
  });

  it('HISP does not tell help from harm', async () => {
    const known = andGate();
    const { correct, incorrect, position } = known.example.answers[0]!;
    const examples = [{ ...known.example, answers: [{ position, correct: incorrect, incorrect: correct }] }];
    expectScores(await ask(known, 'hisp', { examples }), AND['hisp']!.on as Scores);
  });
});

describe('random scores', () => {
  it('over seeds favour no edge: each has the mean ½ of a uniform number, 0.29 / √400 give or take', async () => {
    const sums = new Map<string, number>();
    for (let seed = 0; seed < 400; seed++)
      for (const [edge, score] of (await ask(andGate(), 'random', { options: { seed } })).scores)
        sums.set(edge, (sums.get(edge) ?? 0) + score / 400);
    for (const [edge, mean] of sums) expect(mean, edge).to.be.within(0.44, 0.56);
  });
});
