/** Where the nodes of a circuit are drawn: the registry of layouts and the one function that applies one. */
import { refuse } from '../errors.js';
import { choicesFor } from '../nearest.js';
import type { CircuitGraph } from './graph.js';
import { force } from './layout/force.js';
import { layered } from './layout/layered.js';
import type { LayoutMethod, Positions } from './layout/method.js';

export const LAYOUTS: readonly LayoutMethod[] = [layered, force];

export interface Layout {
  readonly key: string;
  /** null where the layout does not depend on one */
  readonly seed: number | null;
  /** node → [x, y], y upward, in units of one column and one row */
  readonly positions: Positions;
}

/** @throws TheveninError circuit/layout */
export const findLayout = (key: string): LayoutMethod =>
  LAYOUTS.find((candidate) => candidate.key === key) ??
  refuse(
    'circuit/layout',
    `no layout "${key}"; choose one of ${choicesFor(
      key,
      LAYOUTS.map((layout) => layout.key),
    )}`,
  );

/** Places the nodes of a graph; the same graph, key and seed give the same places. */
export const layOut = (graph: CircuitGraph, { key, seed }: { readonly key: string; readonly seed: number }): Layout => {
  const method = findLayout(key);
  return { key, seed: method.seeded ? seed : null, positions: method.place(graph, seed) };
};
