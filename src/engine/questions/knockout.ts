/**
 * Attention knock-out (Geva et al. 2304.14767): chosen queries do not look at chosen keys. Their scores become −∞ before the
 * softmax, so that the rest of each row is renormalised:
 *
 *     pattern'[q, k] = 0 for blocked (q, k), else pattern[q, k] / Σ over unblocked k' of pattern[q, k']
 *
 * No alternative is read; everything downstream is recomputed.
 */
import { Arena } from '../core/arena.js';
import { layerBytesPerToken, pieces, planChunks } from '../core/chunks.js';
import { at, clampStart, floats, spread, type BoundRun } from '../model-run/bound-run.js';
import { makeSpan } from '../core/span.js';
import { NOTHING, walkUp, type LayerSwaps } from '../model-run/walk.js';
import type { Tensor } from '../../runtime/types.js';

/** Positions that a head's queries at other positions do not see. Every query must keep a key. */
export interface Knockout {
  readonly layer: number;
  readonly head: number;
  readonly queries: readonly number[];
  readonly keys: readonly number[];
}

/** What is knocked out together. */
type Asked = readonly Knockout[];

/** The metric [questions][examples]. Cost: at most one forward pass each. */
export async function answerKnockouts(bound: BoundRun, questions: readonly Asked[]): Promise<Float64Array[]> {
  const { engine, batch } = bound;
  const examples = batch.examples.length;
  const answers: Float64Array[] = [];
  const groups = new Map<number, number[]>();
  questions.forEach((asked, index) => {
    const first = Math.min(...asked.map(({ layer }) => layer));
    groups.set(first, [...(groups.get(first) ?? []), index]);
  });
  for (const [first, indices] of groups) {
    const tokensEach = examples * batch.length;
    const bytesPerToken = layerBytesPerToken(engine) + 8 * engine.model.config.nHeads * batch.length;
    const plan = planChunks(engine, { of: 'questions', total: indices.length, tokensEach, bytesPerToken });
    for (const chunk of pieces(indices, plan.perChunk)) {
      const asked = chunk.map((index) => at(questions, index));
      const values = await answerChunk(bound, asked, first);
      chunk.forEach((index, i) => (answers[index] = values.slice(i * examples, (i + 1) * examples)));
    }
  }
  return answers;
}

async function answerChunk(bound: BoundRun, chunk: readonly Asked[], first: number): Promise<Float64Array> {
  const { engine, base, batch, judge } = bound;
  const arena = new Arena();
  const start = clampStart(bound, Math.min(...chunk.flat().flatMap(({ queries }) => queries)));
  const span = makeSpan(engine, start, batch.length);
  const layers = new Map<number, LayerSwaps>();
  const swaps = (layer: number): Promise<LayerSwaps> => {
    const known = layers.get(layer) ?? swapsOf(bound, arena, { chunk, layer, start });
    layers.set(layer, known);
    return Promise.resolve(known);
  };
  try {
    const x = await spread(bound, span, { stream: at(base.pre, first), questions: chunk.length, arena });
    return await judge.value(arena.own(await walkUp({ bound, span, swaps }, first, x)), span);
  } finally {
    span.dispose();
    arena.dispose();
  }
}

function swapsOf(
  bound: BoundRun,
  arena: Arena,
  of: { chunk: readonly Asked[]; layer: number; start: number },
): LayerSwaps {
  if (!of.chunk.some((asked) => asked.some(({ layer }) => layer === of.layer))) return NOTHING;
  return { ...NOTHING, attention: { sites: [], inputs: {}, knockout: blocked(bound, arena, of) } };
}

/** Far below any score, and still far from overflow together with the causal mask. */
const BLOCKED = -1e9;

/** [questions, 1, heads, pos, keys]: what is added to the scores. */
function blocked(
  bound: BoundRun,
  arena: Arena,
  { chunk, layer, start }: { chunk: readonly Asked[]; layer: number; start: number },
): Tensor {
  const { nHeads } = bound.engine.model.config;
  const { length } = bound.batch;
  const rows = length - start;
  const values = new Float32Array(chunk.length * nHeads * rows * length);
  chunk.forEach((asked, question) => {
    for (const { head, queries, keys } of asked.filter((one) => one.layer === layer))
      for (const query of queries)
        for (const key of keys) values[((question * nHeads + head) * rows + query - start) * length + key] = BLOCKED;
  });
  return floats(bound, arena, { values, shape: [chunk.length, 1, nHeads, rows, length] });
}
