/** Edges out of and into single neurons of chosen MLPs, estimated with one backward pass for each point. */
import { mlpReads } from '../../model/blocks.js';
import { parameterValue } from '../../model/parameters.js';
import type { Tensor } from '../../runtime/types.js';
import { Arena, withArena } from '../core/arena.js';
import { forwardSaved, type At, type Pass, type Saved } from '../model-run/backward.js';
import { backwardBlock, throughProjection, type AtReaders } from '../model-run/block-backward.js';
import { senderDifferences } from '../model-run/differences.js';
import { pointStreams, type Ends, type Point } from './gradient.js';
import { clampStart, ints, refuseBehindNorm, type BoundRun } from '../model-run/bound-run.js';
import { makeSpan } from '../core/span.js';
import { neuronChange } from '../model-run/neurons.js';

/** Sums over the examples of a batch; signs as of `edgeGradients`. */
export interface NeuronGradients {
  readonly layer: number;
  /** [neuron, reader], readers in the universe's order; 0 where the reader is not downstream */
  readonly out: Float64Array;
  /** [sender, neuron], senders in the universe's order up to those that the MLP reads */
  readonly into: Float64Array;
}

interface NeuronPass extends Pass {
  readonly bound: BoundRun;
  readonly differences: Tensor;
  readonly sets: readonly NeuronSet[];
}

interface NeuronSet extends NeuronGradients {
  /** alternative − base of each neuron [examples, pos, dMlp] */
  readonly change: Tensor;
  /** [dMlp, d] */
  readonly writes: Tensor;
}

/** Bytes that products of senders and neurons may take at once. */
const PRODUCT_BYTES = 2 ** 27;

/**
 * First-order estimates of what cutting edges out of and into single neurons adds to the metric: a neuron writes its activation
 * times its row of W_out; it reads the MLP's normed input times its column of W_in (and of W_gate).
 *
 * Cost: per point a forward and a backward pass, and for each chosen layer products of its neurons with every reader above and
 * every sender below.
 */
export async function neuronGradients(
  bound: BoundRun,
  points: readonly Point[],
  { layers, ...ends }: Ends & { readonly layers: readonly number[] },
): Promise<NeuronGradients[]> {
  const { engine, batch } = bound;
  refuseBehindNorm(engine, 'the gradient at single neurons', 'measure their edges one by one');
  if (bound.alternative.firstChange >= batch.length) return layers.map((layer) => emptyScores(bound, layer));
  const span = makeSpan(engine, clampStart(bound, bound.alternative.firstChange), batch.length);
  const arena = new Arena();
  try {
    const differences = arena.own(await senderDifferences(bound, span, { byToken: true, amount: 0 }));
    const sets: NeuronSet[] = [];
    for (const layer of layers) sets.push(await openSet(bound, layer, { positions: span.positions, arena }));
    const pass: NeuronPass = { engine, bound, span, arena, cached: bound.base.heads, differences, sets };
    const { saved, final } = await forwardSaved(pass, await pointStreams(pass, points, ends));
    const weights = points.map(({ weight }) => weight);
    const { gradient } = await bound.judge.gradient(final, span, { weights });
    await downward(pass, saved, gradient);
    return sets.map(({ layer, out, into }) => ({ layer, out, into }));
  } finally {
    arena.dispose();
    span.dispose();
  }
}

function emptyScores({ engine }: BoundRun, layer: number): NeuronGradients {
  const { dMlp } = engine.model.config;
  const { readers } = engine.universe;
  return {
    layer,
    out: new Float64Array(dMlp * readers.length),
    into: new Float64Array(sendersBelow(engine, layer) * dMlp),
  };
}

const sendersBelow = ({ universe }: BoundRun['engine'], layer: number): number =>
  universe.readers[universe.readerIndex(`m${layer}`) as number]?.senderCount ?? 0;

async function openSet(bound: BoundRun, layer: number, of: { positions: Tensor; arena: Arena }): Promise<NeuronSet> {
  const { engine } = bound;
  const { dMlp, dModel } = engine.model.config;
  const writes = engine.precise(await parameterValue('mlp.out', engine.model, layer));
  return {
    ...emptyScores(bound, layer),
    change: of.arena.own(await neuronChange(bound, layer, of.positions)),
    writes: of.arena.own(engine.runtime.tensor(writes, [dMlp, dModel])),
  };
}

async function downward(pass: NeuronPass, saved: readonly Saved[], atFinal: Tensor): Promise<void> {
  const { arena, engine } = pass;
  let gradient = arena.own(atFinal);
  await withArena(async (local) => {
    for (const set of pass.sets) {
      const inputs = { gradient, change: set.change, writes: set.writes };
      const { scores } = local.own(
        await engine.run({ name: 'readerScores', variant: { groups: false, neurons: true }, inputs }),
      );
      await collectOut(pass, set, { scores: scores as Tensor, readers: [engine.universe.readers.length - 1] });
    }
  });
  for (let layer = saved.length - 1; layer >= 0; layer--) {
    const next = await downLayer(pass, layer, { saved: saved[layer] as Saved, gradient });
    arena.free(gradient);
    gradient = arena.own(next);
  }
}

/** Back through one layer, the neurons' edges scored on the way; the caller owns what comes back. */
async function downLayer(pass: NeuronPass, layer: number, from: At): Promise<Tensor> {
  const own = pass.sets.find((set) => set.layer === layer);
  if (own) await scoreInto(pass, own, from);
  const readers = async (reached: AtReaders): Promise<Tensor> => {
    for (const set of pass.sets) if (set.layer < layer) await scoreOut(pass, layer, { set, ...reached });
    return throughProjection(pass, layer, reached);
  };
  return (await backwardBlock(pass, layer, from, { readers })) as Tensor;
}

/** The edges out of a set's neurons into the readers of a layer above. */
async function scoreOut(pass: NeuronPass, layer: number, of: AtReaders & { set: NeuronSet }): Promise<void> {
  const { engine, span } = pass;
  const { set, saved, heads, mlp } = of;
  const inputs = {
    ...{ x: saved.pre, ...saved.heads, 'mlp.gradient': mlp as Tensor, change: set.change, writes: set.writes },
    ...{ 'q.gradient': heads.q, 'k.gradient': heads.k, 'v.gradient': heads.v, ...span.rotary },
  };
  const several = heads.q.shape[0] !== 1;
  const variant = { mlp: true, several, frozenNorm: false, groups: false, neurons: true };
  const { x, scores } = await engine.run({ name: 'readersGradient', layer, variant, inputs });
  (x as Tensor).dispose();
  const count = 3 * engine.universe.shape.nHeads + 1;
  const readers = Array.from({ length: count }, (_, i) => layer * count + i);
  await collectOut(pass, set, { scores: scores as Tensor, readers });
  (scores as Tensor).dispose();
}

/** Adds scores [examples, 1, neurons, readers]. */
async function collectOut(
  { engine }: NeuronPass,
  set: NeuronSet,
  { scores, readers }: { scores: Tensor; readers: readonly number[] },
): Promise<void> {
  const values = await scores.read();
  const all = engine.universe.readers.length;
  const { dMlp } = engine.model.config;
  for (let i = 0; i < values.length; i++) {
    const neuron = Math.floor(i / readers.length) % dMlp;
    set.out[neuron * all + (readers[i % readers.length] as number)]! += values[i]!;
  }
}

/** The edges into a set's neurons, point by point, some senders at a time. */
async function scoreInto(pass: NeuronPass, set: NeuronSet, { saved, gradient }: At): Promise<void> {
  const { engine, bound, span } = pass;
  const { dMlp, gatedMlp } = engine.model.config;
  const { runtime } = engine;
  const x = saved[mlpReads(engine.model.config) ?? 'mid'];
  const tokens = bound.batch.examples.length * span.count;
  const senders = set.into.length / dMlp;
  const atOnce = Math.max(1, Math.floor(PRODUCT_BYTES / (4 * tokens * dMlp)));
  for (let point = 0; point < (gradient.shape[0] as number); point++)
    await withArena(async (local) => {
      const row = (of: Tensor): Tensor => local.own(runtime.rows(of, point, point + 1));
      const own = {
        ...{ x: row(x), hidden: row(saved.mlp['hidden'] as Tensor), gradient: row(gradient) },
        ...(gatedMlp ? { gate: row(saved.mlp['gate'] as Tensor) } : {}),
      };
      for (let first = 0; first < senders; first += atOnce) {
        const count = Math.min(atOnce, senders - first);
        const sender = ints(bound, local, Array.from({ length: count }, (_, i) => first + i)); // prettier-ignore
        const inputs = { ...own, differences: pass.differences, sender };
        const { scores } = local.own(await engine.run({ name: 'neuronReaders', layer: set.layer, inputs }));
        (await (scores as Tensor).read()).forEach((value, i) => (set.into[first * dMlp + i]! += value));
      }
    });
}
