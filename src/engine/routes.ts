/** Information-flow routes: what of a reader's input comes from each sender, in one run (Ferrando & Voita 2024, arXiv:2403.00824). */
import type { Tensor } from '../runtime/types.js';
import { Arena } from './arena.js';
import { senderDifferences } from './differences.js';
import type { Engine } from './engine.js';
import { withCachedRun, type Batch, type CachedRun } from './prompts.js';
import { at, mlpInputOf } from './setting.js';
import { fixedAlternative } from './sources.js';
import { makeSpan } from './span.js';

/**
 * Per example and edge, the sender's share of the reader's input on the clean prompts, mean over positions: shares
 * max(0, |y|₁ − |y − x_s|₁) of the reader's senders at each position, made to sum to 1: [example · edgeCount + edge]. Where no
 * sender carries the input, all are 0.
 *
 * Cost: one forward pass, and |y − x_s|₁ once for each sender and each place in the stream.
 */
export async function informationFlow(engine: Engine, batch: Batch): Promise<Float64Array> {
  const scores = new Float64Array(batch.examples.length * engine.universe.edgeCount);
  const tokens = batch.examples.length * batch.length;
  await withCachedRun(engine, batch, 'clean', async (base) => {
    const outputs = await minusOutputs(engine, batch, base);
    for (const place of places(engine, base)) await score({ engine, outputs, tokens, scores }, place);
  });
  return scores;
}

/** 0 − what every sender says [examples, pos, senders, d]. */
async function minusOutputs(engine: Engine, batch: Batch, base: CachedRun): Promise<Float32Array | Float64Array> {
  const span = makeSpan(engine, 0, batch.length);
  const arena = new Arena();
  try {
    const alternative = await fixedAlternative(engine, batch, null);
    const differences = senderDifferences({ engine, base, alternative }, span, { byToken: true });
    const joined = arena.own(await differences.finally(() => alternative.dispose()));
    return (await joined.read()) as Float32Array | Float64Array;
  } finally {
    arena.dispose();
    span.dispose();
  }
}

/** A place in the stream, and who reads there. */
interface Place {
  readonly stream: Tensor;
  readonly readers: readonly number[];
}

function places(engine: Engine, run: CachedRun): Place[] {
  const { nHeads, nLayers, hasMlp } = engine.universe.shape;
  const perLayer = 3 * nHeads + (hasMlp ? 1 : 0);
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  const inLayer = (layer: number): Place[] => [
    { stream: at(run.pre, layer), readers: Array.from({ length: 3 * nHeads }, (_, i) => layer * perLayer + i) },
    ...(hasMlp ? [{ stream: mlpInputOf(engine, run, layer), readers: [layer * perLayer + 3 * nHeads] }] : []),
  ];
  return [...layers.flatMap(inLayer), { stream: run.final, readers: [nLayers * perLayer] }];
}

interface Flow {
  readonly engine: Engine;
  /** minus each sender's output [examples, pos, senders, d] */
  readonly outputs: Float32Array | Float64Array;
  readonly tokens: number;
  readonly scores: Float64Array;
}

/**
 * Here and not on the runtime: all distances of a token read what its senders say from the cache once, where a program would write
 * and read a tensor of [tokens, senders, d] for each place.
 */
async function score({ engine, outputs, tokens, scores }: Flow, { stream, readers }: Place): Promise<void> {
  const { universe, model } = engine;
  const senders = universe.senders.length;
  const { dModel } = model.config;
  const count = universe.readers[readers[0]!]!.senderCount;
  const y = (await stream.read()) as Float32Array;
  const examples = scores.length / universe.edgeCount;
  const length = tokens / examples;
  const near = new Float64Array(count);
  for (let token = 0; token < tokens; token++) {
    const total = proximities(near, { y, at: token * dModel, outputs, from: token * senders * dModel, dModel });
    if (total === 0) continue;
    const own = Math.floor(token / length) * universe.edgeCount;
    near.forEach((share, sender) => {
      for (const reader of readers) scores[own + universe.edgeBetween(sender, reader)]! += share / total / length;
    });
  }
}

interface Token {
  readonly y: Float32Array;
  readonly at: number;
  readonly outputs: Float32Array | Float64Array;
  readonly from: number;
  readonly dModel: number;
}

/** max(0, |y|₁ − |y − x_s|₁) of the first senders of a token, filled in; their sum. (eq. 5 there) */
function proximities(near: Float64Array, { y, at: first, outputs, from, dModel }: Token): number {
  let norm = 0;
  for (let j = 0; j < dModel; j++) norm += Math.abs(y[first + j]!);
  let total = 0;
  for (let sender = 0; sender < near.length; sender++) {
    const x = from + sender * dModel;
    // two sums, so that one addition need not wait for the other
    let [even, odd] = [0, 0];
    let j = 0;
    for (; j + 1 < dModel; j += 2) {
      even += Math.abs(y[first + j]! + outputs[x + j]!);
      odd += Math.abs(y[first + j + 1]! + outputs[x + j + 1]!);
    }
    if (j < dModel) even += Math.abs(y[first + j]! + outputs[x + j]!);
    near[sender] = Math.max(0, norm - even - odd);
    total += near[sender]!;
  }
  return total;
}
