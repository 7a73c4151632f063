/** Choosing a circuit by its edges' scores: the registry of rules, and the one function that applies a rule and prunes. */
import { refuse } from '../errors.js';
import { choicesFor } from '../nearest.js';
import { countIn, prune } from './prune.js';
import { greedy } from './select/greedy.js';
import type { SelectionRule } from './select/rule.js';
import { threshold } from './select/threshold.js';
import { topN } from './select/top-n.js';
import type { Circuit, Universe } from './types.js';

export type { SelectionRule } from './select/rule.js';

export const SELECTION_RULES: readonly SelectionRule[] = [topN, greedy, threshold];

export interface Selection {
  /** key of a rule */
  readonly rule: string;
  /** rank edges by |score| or by score: a signed rule leaves out edges that hurt the task */
  readonly by: 'absolute' | 'signed';
  /** edges before pruning, or for `threshold` the least score */
  readonly requested: number;
}

const findRule = (key: string): SelectionRule =>
  SELECTION_RULES.find((rule) => rule.key === key) ??
  refuse(
    'circuit/selection',
    `no selection rule "${key}"; choose one of ${choicesFor(
      key,
      SELECTION_RULES.map((r) => r.key),
    )}`,
  );

const checkRequest = (rule: SelectionRule, requested: number): void => {
  const fits =
    rule.requests === 'edges' ? Number.isSafeInteger(requested) && requested >= 0 : Number.isFinite(requested);
  const expected = rule.requests === 'edges' ? 'a number of edges, 0 or more' : 'a finite score';
  if (!fits) refuse('circuit/selection', `selection by ${rule.key} needs ${expected}, got ${requested}`);
};

/** Refuses unknown rules and requests that make no sense. @throws TheveninError circuit/selection */
export const checkSelection = ({ rule, requested }: Pick<Selection, 'rule' | 'requested'>): void =>
  checkRequest(findRule(rule), requested);

const checkScores = (universe: Universe, scores: Float64Array): void => {
  if (scores.length !== universe.edgeCount) {
    refuse(
      'circuit/scores',
      `${scores.length} scores for a graph of ${universe.edgeCount} edges; they are not of this model`,
    );
  }
  const bad = scores.findIndex((score) => !Number.isFinite(score));
  if (bad >= 0) {
    refuse(
      'circuit/scores',
      `the score of edge ${universe.edgeName(bad)} is ${scores[bad]}, not a finite number; nothing can be ranked by it`,
    );
  }
};

/**
 * The circuit a rule chooses, dead ends pruned.
 *
 * `scores`: [edge], positive = the edge helps the task. Ties at the cut go to the smaller edge index and are reported.
 * Refuses unknown rules, requests that make no sense, and scores that are not one finite number per edge.
 */
export const selectCircuit = (universe: Universe, scores: Float64Array, selection: Selection): Circuit => {
  const rule = findRule(selection.rule);
  checkRequest(rule, selection.requested);
  checkScores(universe, scores);
  const ranks = selection.by === 'absolute' ? scores.map(Math.abs) : scores;
  const { chosen, tiesLeftOut } = rule.choose(universe, ranks, selection.requested);
  return makeCircuit(universe, chosen, { ...selection, tiesLeftOut });
};

/** A circuit from edges chosen in any way ([edge], 1 = chosen): prunes and counts. */
export const makeCircuit = (universe: Universe, chosen: Uint8Array, selection: Circuit['selection']): Circuit => {
  const edges = prune(universe, chosen);
  return { edges, chosenCount: countIn(chosen), edgeCount: countIn(edges), selection };
};
