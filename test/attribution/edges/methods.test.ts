/** The registry, and what methods refuse or promise beyond the peers' numbers. */
import { expect } from 'chai';
import { METHODS, findMethod } from '../../../src/attribution/edges/index.js';
import { edgesBetween, nodeScores } from '../../../src/attribution/edges/node-scores.js';
import { readOptions } from '../../../src/attribution/options.js';
import { Engine } from '../../../src/engine/core/engine.js';
import { makeUniverse } from '../../../src/circuit/universe.js';
import { loadModel } from '../../../src/model/load.js';
import type { Model } from '../../../src/model/types.js';
import { createRuntime, type Runtime } from '../../../src/runtime/index.js';
import { TheveninError } from '../../../src/errors.js';
import { golden } from '../../helpers/model-files.js';
import { readPeer } from '../../helpers/peer.js';
import { everyOption, type EveryContext } from '../../helpers/options.js';

const options = everyOption({ steps: 2 });

const havingOption = (name: string) => METHODS.findLast(({ options: own }) => name in own)!;

describe('methods', () => {
  it('have keys of their own, a reference and a title, and say what they cost', () => {
    expect(new Set(METHODS.map(({ key }) => key)).size).to.equal(METHODS.length);
    for (const method of METHODS) {
      expect(method.key).to.match(/^[a-z]+(-[a-z]+)*$/);
      expect(method.reference, method.key).not.to.equal('');
      expect(method.title(options), method.key).not.to.equal('');
      const { forwards, backwards } = method.cost(options, { edges: 100, layers: 3, minibatches: 7 });
      expect(Number.isInteger(forwards) && Number.isInteger(backwards), method.key).to.equal(true);
    }
  });

  it('that learn masks count what an update runs: one minibatch, so that a pair has its turn once in so many updates', () => {
    for (const key of ['edge-pruning', 'subnetwork-probing']) {
      const cost = (minibatches: number): unknown =>
        findMethod(key).cost(everyOption({ updates: 30, restarts: 1 }), { edges: 100, layers: 3, minibatches });
      expect(cost(1), key).to.deep.equal({ forwards: 62, backwards: 30 });
      expect(cost(8), key).to.deep.equal({ forwards: 10, backwards: 4 });
    }
  });

  it('that learn masks refuse settings that learn none, and name their settings in the title', () => {
    const best = everyOption({ updates: 30, restarts: 3 });
    const cost = findMethod('edge-pruning').cost(best, { edges: 100, layers: 3, minibatches: 8 });
    expect(cost, 'three attempts compared').to.deep.equal({ forwards: 3 * 10 + 5, backwards: 12 });
    const refused = { updates: [0, -3, 1.5], restarts: [0, 1.5], rate: [0, -0.1, NaN], lambda: [0, -1] };
    for (const [name, values] of Object.entries(refused))
      for (const value of values)
        expect(() => readOptions(havingOption(name), { [name]: value }, { methods: METHODS }))
          .to.throw(TheveninError, `--${name} ${value}`)
          .with.property('code', 'discovery/search');
    const masks = everyOption({ edges: 30, updates: 70, rate: 0.05, lambda: 2 });
    expect(findMethod('edge-pruning').title(masks)).to.contain('to 30 edges, the best of 3, 70 updates, rate 0.05');
    expect(findMethod('subnetwork-probing').title(masks)).to.contain('λ 2, 70 updates, rate 0.05');
  });

  it('an unknown one is refused, with those that are known', () =>
    expect(() => findMethod('eap-gp'))
      .to.throw(TheveninError, /eap, eap-ig,/)
      .with.property('code', 'discovery/method'));

  it('that take the gradient on the clean prompts alone refuse KL, which has none there, and name others', () => {
    for (const key of ['eap', 'hisp'])
      expect(() => findMethod(key).check?.({ metric: 'kl-divergence', options }))
        .to.throw(TheveninError, /eap-ig or clean-corrupted/)
        .with.property('code', 'discovery/gradient');
    const right = everyOption({ steps: 1, rule: 'right' });
    expect(() => findMethod('eap-ig').check?.({ metric: 'kl-divergence', options: right })).to.throw(TheveninError);
    for (const { key, check } of METHODS)
      expect(() => check?.({ metric: 'logit-difference', options }), key).not.to.throw();
  });
});

describe('nodes and their edges', () => {
  const universe = makeUniverse({ nLayers: 1, nHeads: 2, hasMlp: false, parallelBlocks: false }); // input, a0.h0, a0.h1
  const edge = (name: string): number => universe.edgeIndex(name)!;

  it("a node's score is the sum of its outgoing edges'", () => {
    const scores = new Float64Array(universe.edgeCount);
    scores[edge('input->a0.h0<q>')] = 1;
    scores[edge('input->logits')] = 2;
    scores[edge('a0.h1->logits')] = -4;
    expect([...nodeScores(universe, scores)]).to.deep.equal([3, 0, -4]);
  });

  it('an edge is as important as the less important of its nodes; input and logits do not count', () => {
    const edges = edgesBetween(universe, [0, 3, 2]);
    expect(edges[edge('input->a0.h0<q>')]).to.equal(3);
    expect(edges[edge('input->a0.h1<v>')]).to.equal(2);
    expect(edges[edge('a0.h1->logits')]).to.equal(2);
    expect(edges[edge('input->logits')]).to.equal(3);
  });
});

describe('HISP and information-flow routes on a tiny model', () => {
  const { batch } = readPeer('gpt2');
  let [model, runtime, engine] = [null, null, null] as unknown as [Model, Runtime, Engine];
  before(async () => {
    model = await loadModel(golden('architectures/gpt2'));
    runtime = await createRuntime('reference', { threads: 1 });
    engine = new Engine(model, runtime);
  });
  after(async () => {
    await engine.dispose();
    await model.dispose();
  });
  const scoresOf = async (key: string) => {
    const signal = new AbortController().signal;
    const context: EveryContext = {
      engine,
      examples: batch.examples,
      metric: 'logit-difference',
      options,
      signal,
      onProgress: () => undefined,
    };
    return (await findMethod(key).run(context)).scores;
  };

  it("HISP's importances of a layer have L2 norm 1, and are those of its edges into the logits", async () => {
    const { universe } = engine;
    const { mean } = await scoresOf('hisp');
    const logits = universe.readers.length - 1;
    for (let layer = 0; layer < 3; layer++) {
      const own = universe.senders.flatMap((sender, node) => (sender.layer === layer ? [node] : []));
      const squares = own.map((node) => mean[universe.edgeBetween(node, logits)]! ** 2);
      expect(squares.reduce((a, b) => a + b)).to.be.closeTo(1, 1e-6);
    }
  });

  it('routes into every reader sum to 1: they are shares of what it reads', async () => {
    const { universe } = engine;
    const { mean } = await scoresOf('information-flow-routes');
    const sums = new Float64Array(universe.readers.length);
    mean.forEach((share, e) => (sums[universe.edgeReader[e]!]! += share));
    for (const sum of sums) expect(sum).to.be.closeTo(1, 1e-9);
  });

  it('routes cost one forward pass', async () => {
    const before = engine.counters.layerTokens;
    await scoresOf('information-flow-routes');
    expect(engine.counters.layerTokens - before).to.equal(batch.examples.length * batch.length);
  });
});
