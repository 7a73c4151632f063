import { expect } from 'chai';
import { readExchange, writeExchange } from '../../src/report/formats/exchange.js';
import { makeUniverse } from '../../src/circuit/universe.js';
import { edgeMask, edgesOf, graphGoldens } from '../helpers/circuit.js';

const universe = makeUniverse({ nLayers: 2, nHeads: 2, hasMlp: true, parallelBlocks: false });
const scores = Float64Array.from({ length: universe.edgeCount }, (_, e) => (e % 7) / 3 - 1 + e * 1e-9);
const path = ['input->a0.h1<q>', 'a0.h1->a1.h0<k>', 'a1.h0->logits'].map((name) => universe.edgeIndex(name)!);
const circuit = { universe, dModel: 64, scores, edges: edgeMask(universe, path) };
const read = (text: string, options = {}) => readExchange(text, { file: 'circuit.json', ...options });

interface Written {
  cfg: unknown;
  nodes: Record<string, { in_graph: boolean }>;
  edges: Record<string, { score: number; in_graph: boolean }>;
}

describe("the circuit in EAP-IG's format", () => {
  const written = JSON.parse(writeExchange(circuit)) as Written;

  it("has EAP-IG's fields: config, nodes and every edge with its score", () => {
    expect(written.cfg).to.deep.equal({ n_layers: 2, n_heads: 2, parallel_attn_mlp: false, d_model: 64 });
    expect(Object.keys(written.nodes)).to.deep.equal([
      'input',
      'a0.h0',
      'a0.h1',
      'm0',
      'a1.h0',
      'a1.h1',
      'm1',
      'logits',
    ]);
    expect(
      Object.entries(written.nodes)
        .filter(([, node]) => node.in_graph)
        .map(([name]) => name),
    ).to.deep.equal(['input', 'a0.h1', 'a1.h0', 'logits']);
    expect(Object.keys(written.edges)).to.have.length(universe.edgeCount);
    expect(written.edges['a0.h1->a1.h0<k>']).to.deep.equal({ score: scores[path[1]!], in_graph: true });
    expect(written.edges['input->m0']).to.have.property('in_graph', false);
  });

  it("names the edges of EAP-IG's own graphs, in its order", () => {
    const golden = graphGoldens('gpt_neox');
    const blank = {
      scores: new Float64Array(golden.universe.edgeCount),
      edges: new Uint8Array(golden.universe.edgeCount),
    };
    const { cfg, edges } = JSON.parse(writeExchange({ universe: golden.universe, dModel: 48, ...blank })) as Written;
    expect(Object.keys(edges)).to.deep.equal(golden.edges);
    expect(cfg).to.have.property('parallel_attn_mlp', true);
  });

  it('comes back as it was, bit for bit', () => {
    const back = read(writeExchange(circuit));
    expect(back.universe.shape).to.deep.equal(universe.shape);
    expect(back.dModel).to.equal(64);
    expect(back.scores).to.deep.equal(scores);
    expect(edgesOf(back.edges)).to.deep.equal(path);
  });

  it('comes back for parallel and attention-only models', () => {
    for (const shape of [
      { nLayers: 2, nHeads: 3, hasMlp: true, parallelBlocks: true },
      { nLayers: 2, nHeads: 3, hasMlp: false, parallelBlocks: false },
    ]) {
      const of = makeUniverse(shape);
      const blank = { scores: new Float64Array(of.edgeCount), edges: new Uint8Array(of.edgeCount).fill(1) };
      expect(read(writeExchange({ universe: of, dModel: 8, ...blank })).universe.shape).to.deep.equal(shape);
    }
  });

  it('keeps NaN, as Python writes it, for edges that were not scored', () => {
    const unscored = scores.map((score, edge) => (edge === 3 ? NaN : score));
    const text = writeExchange({ ...circuit, scores: unscored });
    expect(text).to.contain('"score": NaN');
    expect([...read(text).scores.keys()].filter((edge) => Number.isNaN(read(text).scores[edge]))).to.deep.equal([3]);
  });

  it('maps scale and sign on the way in', () => {
    const text = writeExchange(circuit);
    expect(read(text, { scale: 8 }).scores[5]).to.equal(8 * scores[5]!);
    expect(read(text, { scale: 8, positive: 'hurts' }).scores[5]).to.equal(-8 * scores[5]!);
  });

  it('leaves edges the file does not have unscored and outside', () => {
    const { cfg, nodes } = written;
    const back = read(JSON.stringify({ cfg, nodes, edges: { 'input->m0': { score: 2, in_graph: true } } }));
    expect(edgesOf(back.edges).map((edge) => universe.edgeName(edge))).to.deep.equal(['input->m0']);
    expect(back.scores[0]).to.be.NaN;
  });

  it('refuses a score that its scale takes beyond what a float64 can hold', () => {
    const edges = { 'input->m0': { score: 1e308 } };
    expect(() => read(JSON.stringify({ cfg: written.cfg, nodes: written.nodes, edges }), { scale: 8 }))
      .to.throw('the score of "input->m0", times 8, is beyond')
      .with.property('code', 'circuit/exchange');
  });

  const { cfg, nodes } = written;
  const refused: [string, string, string][] = [
    ['what is not JSON', '{', 'not JSON'],
    ['what is not an object', '[1]', 'not a JSON object'],
    ['a file without config', '{"nodes": {}}', '"cfg" and "nodes" are needed'],
    ['a config without layers', '{"cfg": {}, "nodes": {}}', '"cfg.n_layers" is no positive number'],
    ['a file without edges', JSON.stringify({ cfg, nodes }), '"edges" is needed'],
    [
      'an edge of another model',
      JSON.stringify({ cfg, nodes, edges: { 'a9.h9->logits': {} } }),
      '"a9.h9->logits" is no edge',
    ],
    [
      'more layers than it names nodes of',
      JSON.stringify({ cfg: { ...(cfg as object), n_layers: 1e9 }, nodes, edges: {} }),
      '"nodes" has 8',
    ],
    [
      'more heads than it names nodes of',
      JSON.stringify({ cfg: { ...(cfg as object), n_heads: 1e15 }, nodes, edges: {} }),
      '"nodes" has 8',
    ],
    [
      'a score beyond what a float64 can hold',
      JSON.stringify({ cfg, nodes, edges: { 'input->m0': { score: 7 } } }).replace('"score":7', '"score":1e999'),
      '/edges/input->m0/score is a number beyond',
    ],
    ['JSON nested ten thousand deep', `{"cfg": ${'['.repeat(1e4)}${']'.repeat(1e4)}}`, 'nested more than 100 deep'],
    ['a score that is text', JSON.stringify({ cfg, nodes, edges: { 'input->m0': { score: 'x' } } }), 'is no number'],
  ];
  for (const [what, text, message] of refused) {
    it(`refuses ${what}`, () => {
      expect(() => read(text))
        .to.throw(`circuit.json: `)
        .with.property('message')
        .that.contains(message);
    });
  }
});
