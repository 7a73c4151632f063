/** What a layout is: nodes → places, in units of one column and one row, y upward. */
import type { CircuitGraph } from '../graph.js';

export type Positions = Readonly<Record<string, readonly [number, number]>>;

export interface LayoutMethod {
  readonly key: string;
  readonly title: string;
  readonly reference: string;
  /** whether the seed matters */
  readonly seeded: boolean;
  readonly place: (graph: CircuitGraph, seed: number) => Positions;
}

/** Positions are kept to a thousandth of a unit, so that they read well and are equal where rounding errors are not. */
export const rounded = (value: number): number => Math.round(value * 1000) / 1000 + 0;
