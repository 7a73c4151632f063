/** Edge pruning beside EAP-IG at the same size, on pairs that no setting was chosen by. */
import { compareCircuits } from '../src/circuit/compare.js';
import { countIn, prune } from '../src/circuit/prune.js';
import { selectCircuit } from '../src/circuit/select.js';
import type { Universe } from '../src/circuit/types.js';
import type { Held } from '../src/attribution/edges/held.js';
import { pickOptions, type OptionsOf } from '../src/attribution/options.js';
import { eapIg } from '../src/attribution/edges/methods/gradient/eap-ig.js';
import { edgePruning } from '../src/attribution/edges/methods/learned/edge-pruning.js';
import type { EdgesContext } from '../src/attribution/edges/types.js';
import { bootstrapInterval } from '../src/evaluation/statistics/bootstrap.js';
import { faithfulness, measureCircuits, type CircuitMetrics } from '../src/evaluation/faithfulness.js';
import { openTask, type Workbench } from '../src/jobs/workbench.js';
import { checkTask } from '../src/task/check.js';
import { requireClean } from '../src/task/finding.js';
import { resolveTask } from '../src/task/files/load.js';
import type { CheckedTask, Example } from '../src/task/types.js';

/** The pairs that everything is learned and chosen on: those of `discover --task ioi --examples 160`. */
const USUAL = { task: 'ioi', examples: 160, seed: 0, bos: undefined, split: true } as const;
/** … and the others: of another seed of the generator, less the pairs that are among the usual ones. */
export const FRESH = { seed: 20_260, count: 200 } as const;
const STEPS = { steps: 5, rule: 'midpoint' } as const;
const STANDARD = pickOptions(edgePruning) as OptionsOf<typeof edgePruning.options>;

/** A figure of both circuits on the fresh pairs, with its 95 % interval over the pairs. */
export interface Figure {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface Comparison {
  /** asked for; both circuits have as many as `size` says, dead ends removed */
  readonly edges: number;
  readonly holds: Held;
  readonly seed: number;
  readonly size: { readonly edgePruning: number; readonly eapIg: number };
  readonly faithfulness: { readonly edgePruning: Figure; readonly eapIg: Figure };
  /** |1 − f| of EAP-IG's circuit − |1 − f| of edge pruning's: positive = edge pruning's is more faithful */
  readonly gain: Figure;
  /** edge pruning's circuit */
  readonly circuit: readonly string[];
}

export interface Rivals {
  compare(asked: Pick<Comparison, 'edges' | 'holds' | 'seed'>): Promise<Comparison>;
}

const tokensOf = ({ clean, corrupt }: Example): string => `${clean.join(' ')}|${corrupt.join(' ')}`;

/** @param count of the fresh pairs, at most */
export async function freshPairs(
  { model }: Workbench,
  usual: readonly Example[],
  count: number = FRESH.count,
): Promise<readonly Example[]> {
  const { file, path } = await resolveTask(USUAL.task, model, FRESH);
  const { tokenizer, config } = model;
  const { task, findings } = checkTask(file, { path, tokenizer, config, seed: 0, split: false });
  requireClean(findings);
  const known = new Set(usual.map(tokensOf));
  return (task as CheckedTask).examples.filter((pair) => !known.has(tokensOf(pair))).slice(0, count);
}

/** EAP-IG's scores once; then edge pruning as often as is asked, each time beside the circuit that the scores select. */
export async function openRivals(bench: Workbench, { pairs }: { readonly pairs?: number } = {}): Promise<Rivals> {
  const { engine, model } = bench;
  const { task } = await openTask(model, USUAL);
  const discover = task.splits.discover.map((place) => task.examples[place] as Example);
  const fresh = await freshPairs(bench, task.examples, pairs);
  const context: EdgesContext = {
    engine,
    examples: discover,
    metric: task.metric,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  };
  const { scores } = await eapIg.run({ ...context, options: STEPS });
  return {
    compare: async ({ edges, holds, seed }) => {
      const { universe } = engine;
      const { found } = await edgePruning.run({ ...context, options: { ...STANDARD, edges, holds, seed } });
      if (!found) throw new Error('edge pruning finds a circuit');
      const own = prune(universe, found.edges);
      const peer = selected(universe, scores.mean, countIn(own));
      const measured = await measureCircuits(engine, fresh, [own, peer], { metric: task.metric });
      const size = { edgePruning: countIn(own), eapIg: countIn(peer) };
      return { edges, holds, seed, size, ...figuresOf(measured), circuit: namesOf(universe, own) };
    },
  };
}

/** The smallest of EAP-IG's circuits that has so many edges once dead ends are removed. */
function selected(universe: Universe, scores: Float64Array, size: number): Uint8Array {
  for (let requested = size; requested <= universe.edgeCount; requested++) {
    const { edges, edgeCount } = selectCircuit(universe, scores, { rule: 'top-n', by: 'absolute', requested });
    if (edgeCount >= size) return edges;
  }
  throw new Error(`no circuit of ${size} edges`);
}

const namesOf = (universe: Universe, edges: Uint8Array): string[] =>
  [...edges.keys()].filter((edge) => edges[edge]).map((edge) => universe.edgeName(edge));

/** [edge] 1 = named */
export function maskOf(universe: Universe, names: readonly string[]): Uint8Array {
  const mask = new Uint8Array(universe.edgeCount);
  for (const name of names) mask[universe.edgeIndex(name) as number] = 1;
  return mask;
}

function figuresOf({ clean, corrupt, circuits }: CircuitMetrics): Pick<Comparison, 'faithfulness' | 'gain'> {
  const at = (values: Float64Array, places: Int32Array): number[] =>
    Array.from(places, (place) => values[place] as number);
  const of = (c: number, places: Int32Array): number =>
    faithfulness({
      clean: at(clean, places),
      corrupt: at(corrupt, places),
      circuit: at(circuits[c] as Float64Array, places),
    }) ?? NaN;
  const figure = (statistic: (places: Int32Array) => number): Figure => {
    const value = statistic(Int32Array.from(clean.keys()));
    const { low, high } = bootstrapInterval(clean.length, statistic) ?? { low: NaN, high: NaN };
    return { value, low, high };
  };
  const gap = (c: number, places: Int32Array): number => Math.abs(1 - of(c, places));
  return {
    faithfulness: { edgePruning: figure((places) => of(0, places)), eapIg: figure((places) => of(1, places)) },
    gain: figure((places) => gap(1, places) - gap(0, places)),
  };
}

/** How alike the circuits of seeds are: the mean over pairs of seeds of |A ∩ B| / |A ∪ B|. */
export function jaccardOf(universe: Universe, circuits: readonly Comparison['circuit'][]): number {
  const masks = circuits.map((names) => maskOf(universe, names));
  const pairs = masks.flatMap((a, i) => masks.slice(i + 1).map((b) => compareCircuits(universe, a, b).edges.jaccard));
  return pairs.reduce((sum, one) => sum + one, 0) / pairs.length;
}
