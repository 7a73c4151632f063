/** Information-flow routes: what of a reader's input comes from each sender, in one run (Ferrando & Voita 2024, arXiv:2403.00824). */
import type { Tensor } from '../runtime/types.js';
import { Arena } from './arena.js';
import { senderDifferences } from './differences.js';
import type { Engine } from './engine.js';
import { withCachedRun, type Batch, type CachedRun } from './prompts.js';
import { at, mlpInputOf } from './setting.js';
import { fixedAlternative } from './sources.js';
import { makeSpan, type Span } from './span.js';

/**
 * Per example and edge, the sender's share of the reader's input on the clean prompts, mean over positions: shares
 * max(0, |y|₁ − |y − x_s|₁) of the reader's senders, made to sum to 1: [example · edgeCount + edge]. Where no sender carries the
 * input, all are 0.
 *
 * Cost: one forward pass, and |y − x_s|₁ once for each sender and each place in the stream.
 */
export async function informationFlow(engine: Engine, batch: Batch): Promise<Float64Array> {
  const scores = new Float64Array(batch.examples.length * engine.universe.edgeCount);
  const span = makeSpan(engine, 0, batch.length);
  const arena = new Arena();
  try {
    await withCachedRun(engine, batch, 'clean', async (base) => {
      const alternative = await fixedAlternative(engine, batch, null);
      const setting = { engine, base, alternative };
      const outputs = arena.own(await senderDifferences(setting, span).finally(() => alternative.dispose())); // 0 − output
      for (const place of places(engine, base)) await score({ engine, span, outputs, scores }, place);
    });
  } finally {
    arena.dispose();
    span.dispose();
  }
  return scores;
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
  readonly span: Span;
  /** minus each sender's output [examples, senders, pos, d] */
  readonly outputs: Tensor;
  readonly scores: Float64Array;
}

async function score({ engine, span, outputs, scores }: Flow, { stream, readers }: Place): Promise<void> {
  const { universe } = engine;
  const count = universe.readers[readers[0]!]!.senderCount;
  const inputs = { y: stream, 'minus.outputs': outputs, positions: span.positions };
  const { proximity } = await engine.run({ name: 'proximity', variant: { count }, inputs });
  const shares = meanShares((await proximity!.read()) as Float32Array, count, span.length); // [examples, count]
  proximity!.dispose();
  shares.forEach((share, i) => {
    const [example, sender] = [Math.floor(i / count), i % count];
    for (const reader of readers) scores[example * universe.edgeCount + universe.edgeBetween(sender, reader)] = share;
  });
}

/** proximity [examples, count, length] → shares at each position, mean over positions [examples, count]. */
function meanShares(proximity: ArrayLike<number>, count: number, length: number): Float64Array {
  const examples = proximity.length / count / length;
  const shares = new Float64Array(examples * count);
  for (let example = 0; example < examples; example++)
    for (let position = 0; position < length; position++) {
      const of = (sender: number): number => proximity[(example * count + sender) * length + position]!;
      let total = 0;
      for (let sender = 0; sender < count; sender++) total += of(sender);
      if (total === 0) continue;
      for (let sender = 0; sender < count; sender++) shares[example * count + sender]! += of(sender) / total / length;
    }
  return shares;
}
