/**
 * The effect of every edge, measured one cut at a time; where positions are told apart, of every edge at every group of positions
 * too. On a large model that takes long, so the cuts that an estimate ranks highest come first, and what has been measured is kept
 * in a journal, from which an interrupted run goes on.
 */
import type { Question } from '../../engine/questions/questions.js';
import type { Example } from '../../task/types.js';
import { noising } from './collect.js';
import { eapIg } from './methods/gradient/eap-ig.js';
import { cutName, type Cut } from './resolution.js';
import { withSessions, type ForEachSession } from './sessions.js';
import { ScoreTable } from './table.js';
import type { Attribution, Effect, EdgesContext } from './types.js';

/** Cuts asked at once: results, progress and Ctrl-C are never farther apart. */
const ASKED_AT_ONCE = 512;

/** With a journal, a process that dies loses what was asked at once: about so many multiply-adds, a few seconds' … */
const LOST_AT_MOST = 5e10;
/** … or these few edges of a large model, where asking for fewer would run the prompts again and again. */
const JOURNALLED_AT_LEAST = 8;

/** The same for every run that a journal may come from: together with what a question is asked decides its last bits. */
function askedAtOnce({ engine, examples, journal }: EdgesContext): number {
  if (journal === undefined) return ASKED_AT_ONCE;
  const { nLayers, nHeads, dModel, dHead, dMlp } = engine.model.config;
  const perToken = nLayers * (4 * dModel * nHeads * dHead + 2 * dModel * dMlp); // weights of attention and MLP
  const tokens = examples.reduce((sum, { clean }) => sum + clean.length, 0);
  const cuts = Math.floor(LOST_AT_MOST / (perToken * tokens));
  return Math.min(ASKED_AT_ONCE, Math.max(JOURNALLED_AT_LEAST, cuts));
}

export async function exactEffects(context: EdgesContext, atOnce = askedAtOnce(context)): Promise<Attribution> {
  const { engine, examples } = context;
  const table = new ScoreTable(context);
  const order = await byEstimate(context);
  return withSessions(engine, examples, noising(context), async (forEach, plan) => {
    for (let from = 0; from < order.length; from += atOnce) {
      context.signal.throwIfAborted();
      const effects = await measure(context, order.slice(from, from + atOnce), forEach);
      for (const { edge, group, values } of effects) table.takeCell({ edge, column: group }, values);
      context.onResults?.(effects);
      context.onProgress(from + effects.length, order.length);
    }
    return { ...table.scores('exact'), plan };
  });
}

/** What the journal knows of all these cuts, or else new measurements, which then are in the journal. */
async function measure(
  context: EdgesContext,
  cuts: readonly Cut[],
  forEach: ForEachSession,
): Promise<readonly Effect[]> {
  const { journal, examples, engine } = context;
  const known = cuts.map((cut) => journal?.known.get(cutName(engine.universe, cut, context.groups)));
  if (known.every((values) => values !== undefined))
    return cuts.map((cut, i) => ({ ...cut, values: known[i] as Float64Array }));
  const effects = cuts.map((cut) => ({ ...cut, values: new Float64Array(examples.length) }));
  await forEach(async ({ ask, base }, { examples: own, indices }) => {
    const answers = await ask(cuts.map((cut) => asQuestion(cut, context, own)));
    answers.forEach((answer, e) =>
      indices.forEach((place, i) => {
        (effects[e] as Effect).values[place] = (base[i] as number) - (answer[i] as number);
      }),
    );
  });
  await journal?.add(effects.filter((_, i) => known[i] === undefined));
  return effects;
}

function asQuestion({ edge, group }: Cut, { groups }: EdgesContext, examples: readonly Example[]): Question {
  if (group === undefined || groups === undefined) return { kind: 'edge', edge };
  return { kind: 'edge', edge, positions: examples.map((example) => groups.positions(example)[group]!) };
}

/** Cuts by |EAP-IG|, the largest first, ties in canonical order. */
async function byEstimate(context: EdgesContext): Promise<Cut[]> {
  const options = { steps: 5, rule: 'midpoint' } as const;
  const { scores, resolved } = await eapIg.run({ ...context, options, onProgress: () => undefined });
  const groups = resolved?.names.length ?? 0;
  const estimates = [
    ...Array.from(scores.mean, (estimate, edge) => ({ edge, group: undefined, estimate })),
    ...Array.from(resolved?.mean ?? [], (estimate, i) => ({
      edge: Math.floor(i / groups),
      group: i % groups,
      estimate,
    })),
  ];
  return estimates
    .sort((a, b) => Math.abs(b.estimate) - Math.abs(a.estimate))
    .map(({ edge, group }) => ({ edge, group }));
}
