/**
 * The gradient of the metric at chosen sites, contracted with what each site would say differently: one number for every node
 * (head, neuron, or the stream itself) at every position. Gradients themselves never leave the runtime.
 */
import { normsWrites } from '../../model/blocks.js';
import type { Tensor, Tensors } from '../../runtime/types.js';
import { withArena, type Arena } from '../core/arena.js';
import { forwardSaved, type Saved } from '../model-run/backward.js';
import { backwardBlock } from '../model-run/block-backward.js';
import type { Engine } from '../core/engine.js';
import { STAGE } from '../questions/start-stages.js';
import type { Point } from './gradient.js';
import { NeuronPairs } from '../model-run/neurons.js';
import { LINES, streamsAt, type Begun, type Line, type NodeSite } from './node-lines.js';
import { tokensOf } from '../model-run/prompts.js';
import { at, clampStart, postOf, type BoundRun } from '../model-run/bound-run.js';
import { makeSpan } from '../core/span.js';

/**
 * The line along which gradients are taken: the embedding of every token moves from its alternative to the clean one (as in
 * EAP-IG), or the site's own value does, everything else as in the base run.
 */
export type Along = 'embedding' | 'site';

export interface NodeQuestion {
  readonly sites: readonly NodeSite[];
  readonly layers: readonly number[];
  readonly points: readonly Point[];
  readonly along: Along;
}

export interface NodeScores {
  readonly site: NodeSite;
  readonly layer: number;
  /** [examples, nodes, positions from `start` on]; positions before it are 0 */
  readonly scores: Float32Array | Float64Array;
  readonly nodes: number;
  readonly start: number;
}

/**
 * ⟨alternative − what the site says in the base run, Σ over points of weight · ∂metric/∂site⟩ for every site and layer, handed to
 * `take` one after the other: a first-order estimate of what replacing the node adds to the metric.
 *
 * Cost: along the embedding a forward and a backward pass per point, for all sites and layers together; along the site, for each
 * site and layer, per point those of the layers above it.
 */
export async function nodeGradients(
  bound: BoundRun,
  question: NodeQuestion,
  take: (scores: NodeScores) => void,
): Promise<void> {
  const { engine, batch, base, alternative } = bound;
  if (alternative.firstChange >= batch.length) return;
  const span = makeSpan(engine, clampStart(bound, alternative.firstChange), batch.length);
  const { points } = question;
  const run = (layer: number, work: (line: Line) => Promise<void>): Promise<void> =>
    withArena((arena) => work({ engine, bound, span, arena, cached: base.heads, points, layer }));
  const asked = (sites: readonly NodeSite[], layers: readonly number[]): Asked => ({ sites, layers, take });
  try {
    if (question.along === 'embedding')
      await run(0, (line) => alongEmbedding(line, asked(question.sites, question.layers)));
    else
      for (const layer of question.layers)
        for (const site of question.sites) await run(layer, (line) => alongSite(line, asked([site], [layer]), site));
  } finally {
    span.dispose();
  }
}

/**
 * What `nodeGradients` holds of a token at the widest point, in bytes: both runs of the prompts; of every point what each layer
 * leaves for the way back; and what going through one layer takes, its attention or its MLP.
 */
export function nodeBytesPerToken(
  { model: { config }, runtime }: Engine,
  { copies, length, neurons }: { copies: number; length: number; neurons: boolean },
): number {
  const { dModel, nHeads, dHead, nLayers, dMlp, gatedMlp } = config;
  const heads = nHeads * dHead;
  const runs = 2 * (nLayers * (3 * dModel + 4 * heads) + dModel);
  const saved = nLayers * (2 * dModel + 3 * heads + (gatedMlp ? 2 : 1) * dMlp) + dModel;
  const attention = 2 * dModel + 4 * heads + 4 * nHeads * length;
  const mlp = 3 * dModel + (gatedMlp ? 8 : 6) * dMlp; // the activation's derivative takes several steps
  const pair = neurons ? 4 * dMlp : 0;
  return (runtime.info.precision === 'float64' ? 8 : 4) * (runs + pair + copies * (saved + Math.max(attention, mlp)));
}

interface Asked {
  readonly sites: readonly NodeSite[];
  readonly layers: readonly number[];
  readonly take: (scores: NodeScores) => void;
}

async function alongEmbedding(line: Line, asked: Asked): Promise<void> {
  const { base, alternative } = line.bound;
  const now = at(base.pre, 0);
  const stream = await streamsAt(line, { base: now, now, alt: at(alternative.pre, 0) });
  await upAndDown(line, { stream, next: 0, saved: null }, asked);
}

const alongSite = async (line: Line, asked: Asked, site: NodeSite): Promise<void> =>
  upAndDown(line, await LINES[site](line), asked);

/** Forward from where the line begins, then back to the lowest layer asked for. */
async function upAndDown(line: Line, { stream, next, saved: own }: Begun, asked: Asked): Promise<void> {
  const { bound, span, arena, points, engine } = line;
  const tokens = tokensOf(stream);
  const { saved: above, final } = await forwardSaved(line, stream, next);
  const weights = points.map(({ weight }) => weight);
  let { gradient } = await bound.judge.gradient(final, span, { weights });
  arena.own(gradient);
  const lowest = Math.min(...asked.layers);
  for (let layer = engine.model.config.nLayers - 1; layer >= lowest; layer--) {
    const saved = layer < next ? own : at(above, layer - next);
    const sites = asked.layers.includes(layer) ? asked.sites : [];
    const from = { saved, gradient, sites, further: layer > lowest, take: asked.take };
    const below = await backThrough({ ...line, layer }, from);
    arena.free(gradient, ...(saved ? tensorsOf(saved) : []));
    if (below === null) break;
    gradient = arena.own(below);
  }
  engine.passed('backward', { tokens, layers: above.length, span });
}

/** What of a layer is done with once it has been passed on the way back; the stream entering it belongs to the layer below too. */
const tensorsOf = ({ mid, heads: { q, k, v }, z, mlp }: Saved): Tensor[] => [
  ...[mid, q, k, v, ...Object.values(mlp)],
  ...(z ? [z] : []),
];

interface Back {
  /** null where nothing below the MLP's output is asked for */
  readonly saved: Saved | null;
  /** at the stream after the layer */
  readonly gradient: Tensor;
  /** of this layer, to be scored */
  readonly sites: readonly NodeSite[];
  /** the gradient is wanted below the layer */
  readonly further: boolean;
  readonly take: (scores: NodeScores) => void;
}

/** Back through one layer, its sites scored on the way, no farther than is asked; the caller owns the gradient at its input. */
async function backThrough(line: Line, { saved, gradient, sites, further, take }: Back): Promise<Tensor | null> {
  const lowest = further ? STAGE['resid-pre'] : Math.min(...sites.map((site) => STAGE[site]));
  const score = (gradients: Partial<Record<NodeSite, Tensor>>): Promise<void> =>
    scoreSites(line, { sites, gradients, saved, take });
  await score({ 'resid-post': gradient, 'mlp-out': gradient, neurons: gradient });
  if (lowest >= STAGE.neurons) return null;
  const below = await backwardBlock(
    line,
    line.layer,
    { saved: saved as Saved, gradient },
    {
      lowest: PLACES.find(([, stage]) => lowest >= stage)?.[0] ?? 'pre',
      mid: (mid) => score({ 'resid-mid': mid }),
      ...(sites.some((site) => STAGE[site] === STAGE.z) && { z: (z) => score({ z, 'attention-out': z }) }),
      heads: (heads) => score({ ...heads }),
    },
  );
  if (below) await score({ 'resid-pre': below });
  return below;
}

/** Places of a block and the stages from which on nothing below them is asked for, from the last to the first. */
const PLACES = [
  ['mid', STAGE['resid-mid']],
  ['z', STAGE.z],
  ['heads', STAGE.q],
] as const;

async function scoreSites(
  line: Line,
  of: {
    sites: readonly NodeSite[];
    gradients: Partial<Record<NodeSite, Tensor>>;
    saved: Saved | null;
    take: (scores: NodeScores) => void;
  },
): Promise<void> {
  for (const site of of.sites) {
    const gradient = of.gradients[site];
    if (!gradient) continue;
    const { scores } = await CONTRACTIONS[site](line, gradient, of.saved);
    const nodes = (scores as Tensor).shape[1] as number;
    const values = (await (scores as Tensor).read()) as NodeScores['scores'];
    of.take({ site, layer: line.layer, scores: values, nodes, start: line.span.start });
    (scores as Tensor).dispose();
  }
}

type Contraction = (line: Line, gradient: Tensor, saved: Saved | null) => Promise<Tensors>;

const ofStream =
  (values: (run: BoundRun['alternative'] | BoundRun['base'], layer: number) => Tensor): Contraction =>
  ({ engine, bound, span, layer }, gradient) => {
    const [now, alt] = [values(bound.base, layer), values(bound.alternative, layer)];
    return engine.run({ name: 'streamNodes', inputs: { now, alt, gradient, positions: span.positions } });
  };

const ofHeads =
  (values: (run: BoundRun['alternative'] | BoundRun['base'], layer: number) => Tensor, together = false): Contraction =>
  ({ engine, bound, span, layer }, gradient) => {
    const inputs = { now: values(bound.base, layer), alt: values(bound.alternative, layer), gradient };
    return engine.run({ name: 'headNodes', variant: { together }, inputs: { ...inputs, positions: span.positions } });
  };

const ofNeurons: Contraction = ({ engine, bound, span, layer }, gradient, saved) =>
  withArena(async (arena) => {
    const active = normsWrites(engine.arithmetic) ? await activeAt(engine, saved as Saved, arena) : null;
    const pair = await new NeuronPairs(bound, arena).of(layer);
    return engine.run({
      name: 'neuronNodes',
      layer,
      inputs: { ...pair, gradient, positions: span.positions, ...(active && { active }) },
    });
  });

/** What neurons are at every point, which the derivative of the norm behind them depends on. */
async function activeAt(engine: Engine, { mlp }: Saved, arena: Arena): Promise<Tensor> {
  if (mlp['neurons']) return mlp['neurons'];
  return arena.own(await engine.run({ name: 'activeNeurons', inputs: mlp }))['neurons'] as Tensor;
}

/** What attention adds to the stream is what its heads' outputs add: the two are contracted alike. */
const CONTRACTIONS: { readonly [Site in NodeSite]: Contraction } = {
  'resid-pre': ofStream((run, layer) => at(run.pre, layer)),
  q: ofHeads((run, layer) => at(run.heads, layer).q),
  k: ofHeads((run, layer) => at(run.heads, layer).k),
  v: ofHeads((run, layer) => at(run.heads, layer).v),
  z: ofHeads((run, layer) => at(run.z, layer)),
  'attention-out': ofHeads((run, layer) => at(run.z, layer), true),
  'resid-mid': ofStream((run, layer) => at(run.mid, layer)),
  neurons: ofNeurons,
  'mlp-out': ofStream((run, layer) => at(run.m, layer)),
  'resid-post': ofStream(postOf),
};
