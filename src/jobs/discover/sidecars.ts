/** Findings → the npy files beside a report. */
import type { Attribution } from '../../attribution/edges/types.js';
import { SCORES_FILE, type Sidecar } from '../../report/sidecar.js';
import type { Findings } from './findings.js';

/** Everything that is per edge, per pair or per neuron. */
export function sidecarsOf(findings: Findings): Sidecar[] {
  const { attribution, circuit, evaluated, strongest, effects } = findings;
  const { scores } = attribution;
  const { clean, corrupt, circuits } = evaluated.metrics;
  const rows = [clean, corrupt, ...circuits];
  const examples = clean.length;
  const edges = Int32Array.from(strongest);
  return [
    {
      file: SCORES_FILE,
      data: scores.mean,
      shape: [scores.mean.length],
      axes: ['edge'],
      what: 'mean score of every edge; positive = helps',
    },
    ...resolvedSidecars(attribution),
    ...neuronSidecars(findings),
    ...(findings.request.perExample ? examplesSidecars(attribution) : []),
    {
      file: 'circuit.npy',
      data: circuit.edges,
      shape: [circuit.edges.length],
      axes: ['edge'],
      what: '1 where the edge is in the circuit',
    },
    {
      file: 'evaluation.npy',
      data: Float64Array.from(rows.flatMap((row) => [...row])),
      shape: [rows.length, examples],
      axes: ['clean, corrupt, circuit, random circuits', 'example'],
      what: 'metric of every held-out example',
    },
    ...(strongest.length === 0
      ? []
      : [
          {
            file: 'exact.edges.npy',
            data: edges,
            shape: [edges.length],
            axes: ['measured edge'],
            what: 'indices of the edges in exact.npy',
          },
          {
            file: 'exact.npy',
            data: Float64Array.from(effects.flatMap((row) => [...row])),
            shape: [effects.length, effects[0]?.length ?? 0],
            axes: ['measured edge', 'example'],
            what: 'exact effect of the strongest edges on every discovery example',
          },
        ]),
  ];
}

function resolvedSidecars({ resolved }: Attribution): Sidecar[] {
  if (!resolved) return [];
  const { mean, names } = resolved;
  const shape = [mean.length / names.length, names.length];
  const what = 'mean score of every edge at each group of positions';
  return [{ file: 'scores.by-group.npy', data: mean, shape, axes: ['edge', 'group'], what }];
}

function neuronSidecars({ finer: { neurons }, bench }: Findings): Sidecar[] {
  const { dMlp } = bench.engine.model.config;
  const what = 'mean score of every edge of every neuron';
  return (neurons?.scores ?? []).flatMap(({ layer, out, into }) => [
    {
      ...{ file: `neurons.m${layer}.out.npy`, data: out, what },
      ...{ shape: [dMlp, out.length / dMlp], axes: ['neuron', 'reader'] },
    },
    {
      ...{ file: `neurons.m${layer}.into.npy`, data: into, what },
      ...{ shape: [into.length / dMlp, dMlp], axes: ['sender', 'neuron'] },
    },
  ]);
}

/** The scores of every pair, [example, edge] and, where positions are told apart, [example, edge, group]. */
function examplesSidecars({ scores: { perExample, exampleCount }, resolved }: Attribution): Sidecar[] {
  const of = (file: string, data: Float32Array | null | undefined, more: readonly number[]): Sidecar[] => {
    if (!data) return [];
    const inner = more.reduce((a, b) => a * b, 1);
    const shape = [exampleCount, data.length / exampleCount / inner, ...more];
    return [
      { file, data, shape, axes: ['example', 'edge', 'group'].slice(0, shape.length), what: 'scores of every pair' },
    ];
  };
  return [
    ...of('scores.by-example.npy', perExample, []),
    ...of('scores.by-example-and-group.npy', resolved?.perExample, [resolved?.names.length ?? 0]),
  ];
}
