/** A complete report record about a small graph, for views and formats. */
import { circuitGraph } from '../../src/circuit/graph.js';
import { layOut } from '../../src/circuit/layout.js';
import { selectCircuit } from '../../src/circuit/select.js';
import type { Selection } from '../../src/circuit/select.js';
import type { Universe } from '../../src/circuit/types.js';
import type { CriterionRecord } from '../../src/report/records/judgement.js';
import type { ReportEdge, ReportRecord, SidecarRecord } from '../../src/report/records/report.js';

const ZERO = '0'.repeat(64);

interface Options {
  readonly selection?: Selection;
  readonly layout?: string;
  readonly sidecars?: readonly SidecarRecord[];
  /** edge → measured effect */
  readonly exact?: ReadonlyMap<number, number>;
}

/** A criterion's finding; names and references are made up. */
const criterion = (key: string, found: Partial<CriterionRecord> & Pick<CriterionRecord, 'value'>): CriterionRecord => ({
  key,
  title: `${key}, as it is called`,
  reference: 'somebody 2020',
  unit: '',
  counts: false,
  low: null,
  high: null,
  count: 16,
  note: null,
  ...found,
});

/** What a run would record about these scores; names, digests and metric values are made up. */
export const recordOf = (universe: Universe, scores: Float64Array, options: Options = {}): ReportRecord => {
  const selection = options.selection ?? { rule: 'greedy', by: 'absolute', requested: 12 };
  const circuit = selectCircuit(universe, scores, selection);
  const graph = circuitGraph(universe, { scores, circuit });
  const edge = (index: number): ReportEdge => ({
    index,
    name: universe.edgeName(index),
    score: scores[index]!,
    low: null,
    high: null,
    exact: options.exact?.get(index) ?? null,
  });
  const inside = [...circuit.edges.keys()].filter((index) => circuit.edges[index] === 1);
  const strongest = [...scores.keys()].sort((a, b) => Math.abs(scores[b]!) - Math.abs(scores[a]!)).slice(0, 10);
  const estimate = (mean: number) => ({ mean, low: mean - 0.25, high: mean + 0.25, count: 16 });
  return {
    schemaVersion: 1,
    versions: {
      thevenin: '0.1.0',
      node: 'v20.0.0',
      runtime: { key: 'onnx', version: '1.30.0', detail: 'cpu, 2 threads' },
    },
    model: {
      name: 'tiny',
      architecture: 'gpt2',
      config: { nLayers: universe.shape.nLayers, nHeads: universe.shape.nHeads },
      weightsSha256: ZERO,
      tokenizerSha256: null,
    },
    task: {
      name: 'names & <places>',
      metric: 'logit-difference',
      sha256: ZERO,
      provenance: 'made for tests',
      bos: false,
      pairs: 64,
      splits: { discover: 32, choose: 16, report: 16, whole: false, seed: 0 },
      dropped: [{ reason: 'not one token', items: ['Ty|ler', '<script>alert(1)</script>'] }],
    },
    settings: {
      method: { key: 'eap-ig', title: 'EAP-IG', reference: 'Hanna, Pezzelle & Belinkov 2024 (arXiv 2403.17806)' },
      direction: 'noising',
      sign: 'positive = the edge helps the task',
      riemann: { rule: 'midpoint', steps: 5 },
      ablation: 'other-prompt',
      selection,
      seed: 0,
      forced: false,
    },
    capability: {
      clean: estimate(3.5),
      corrupt: estimate(-3),
      gap: estimate(6.5),
      accuracy: { mean: 0.9375, low: 0.717, high: 0.989, count: 16 },
      rank: { median: 1, worst: 3 },
      doesTask: true,
      faults: [],
    },
    chunkPlan: {
      memoryBudgetBytes: 2 ** 31,
      stages: [{ stage: 'score', examplesPerChunk: 16, chunks: 2, estimatedBytes: 2 ** 28 }],
    },
    graph: {
      shape: universe.shape,
      senders: universe.senders.length,
      readers: universe.readers.length,
      edges: universe.edgeCount,
    },
    circuit: {
      chosen: circuit.chosenCount,
      edgeCount: circuit.edgeCount,
      tiesLeftOut: circuit.selection.tiesLeftOut,
      edges: inside.map(edge),
      nodes: graph.nodes(),
    },
    evaluation: {
      split: 'report',
      clean: estimate(3.4),
      corrupt: estimate(-3.1),
      circuit: estimate(2.9),
      faithfulness: 6 / 6.5,
      random: {
        edgeCount: circuit.edgeCount,
        seed: 0,
        faithfulness: Array.from({ length: 20 }, (_, i) => i / 100 - 0.05),
        percentile: 100,
      },
      criteria: [
        criterion('faithfulness', { value: 6 / 6.5, low: 0.85, high: 0.97 }),
        criterion('percentile', { value: 100, low: 100, high: 100, unit: '%', note: 'random circuits: mean 0.045' }),
        criterion('edges', { value: 12_345, counts: true, count: 0, note: '10 % of 123450' }),
        criterion('complement', { value: null, note: 'clean and corrupt do not differ' }),
      ],
    },
    minimal: null,
    resolved: null,
    neurons: null,
    missed: null,
    search: null,
    topEdges: strongest.map((index) => ({ ...edge(index), inCircuit: circuit.edges[index] === 1 })),
    layout: layOut(graph, { key: options.layout ?? 'layered', seed: 0 }),
    cost: { tokens: 123_456, forwardPasses: 320, backwardPasses: 160 },
    timings: {
      startedAt: '2026-01-02T03:04:05.000Z',
      totalSeconds: 12.5,
      stages: [
        { stage: 'score', seconds: 10 },
        { stage: 'evaluate', seconds: 2.5 },
      ],
    },
    sidecars: options.sidecars ?? [],
  };
};
