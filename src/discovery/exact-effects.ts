/**
 * The effect of every edge, measured one cut at a time. On a large model that takes long, so the edges that an estimate ranks
 * highest come first, and what has been measured is kept in a journal, from which an interrupted run goes on.
 */
import { noising } from './collect.js';
import { eapIg } from './methods/eap-ig.js';
import { withSessions, type ForEachSession } from './sessions.js';
import type { Attribution, Effect, MethodContext } from './types.js';

const meanOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Edges asked at once: results, progress and Ctrl-C are never farther apart. */
const ASKED_AT_ONCE = 512;

export async function exactEffects(context: MethodContext, atOnce = ASKED_AT_ONCE): Promise<Attribution> {
  const { engine, examples } = context;
  const table = new Table(examples.length, engine.universe.edgeCount);
  const order = await byEstimate(context);
  return withSessions(engine, examples, noising(context), async (forEach, plan) => {
    for (let from = 0; from < order.length; from += atOnce) {
      context.signal.throwIfAborted();
      const effects = await measure(context, order.slice(from, from + atOnce), forEach);
      for (const effect of effects) table.take(effect);
      context.onResults?.(effects);
      context.onProgress(Math.floor(((from + effects.length) * examples.length) / order.length), examples.length);
    }
    const { mean, perExample } = table;
    return { scores: { method: 'exact', mean, perExample, exampleCount: examples.length }, plan };
  });
}

/** What the journal knows of all these edges, or else new measurements, which then are in the journal. */
async function measure(
  { journal, examples }: MethodContext,
  edges: readonly number[],
  forEach: ForEachSession,
): Promise<readonly Effect[]> {
  const known = edges.map((edge) => journal?.known.get(edge));
  if (known.every((values) => values !== undefined))
    return edges.map((edge, i) => ({ edge, values: known[i] as Float64Array }));
  const effects = edges.map((edge) => ({ edge, values: new Float64Array(examples.length) }));
  await forEach(async ({ ask, base }, { indices }) => {
    const answers = await ask(edges.map((edge) => ({ kind: 'edge', edge })));
    answers.forEach((answer, e) =>
      indices.forEach((place, i) => {
        (effects[e] as Effect).values[place] = (base[i] as number) - (answer[i] as number);
      }),
    );
  });
  await journal?.add(effects.filter((_, i) => known[i] === undefined));
  return effects;
}

/** Edges by |EAP-IG|, the largest first, ties in canonical order. */
async function byEstimate(context: MethodContext): Promise<number[]> {
  const setting = { ...context.setting, steps: 5, rule: 'midpoint' as const };
  const { scores } = await eapIg.run({ ...context, setting, onProgress: () => undefined });
  const order = Array.from(scores.mean.keys());
  return order.sort((a, b) => Math.abs(scores.mean[b] as number) - Math.abs(scores.mean[a] as number) || a - b);
}

/** Scores as they come in. */
class Table {
  readonly mean: Float64Array;
  /** [example, edge] */
  readonly perExample: Float32Array;

  constructor(examples: number, edges: number) {
    this.mean = new Float64Array(edges);
    this.perExample = new Float32Array(examples * edges);
  }

  take({ edge, values }: Effect): void {
    this.mean[edge] = meanOf(values);
    values.forEach((value, example) => (this.perExample[example * this.mean.length + edge] = value));
  }
}
