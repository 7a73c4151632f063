/** What can be asked of the engine: interventions, and where their values come from. */
import type { EdgeId } from '../../circuit/types.js';
/**
 * A place in the stream or in a layer whose value can be replaced. `post` of a layer is `pre` of the next. `neurons` are what the
 * MLP's down projection reads: f(hidden), in gated MLPs f(gate) · hidden.
 */
export type SiteKind =
  | 'resid-pre'
  | 'resid-mid'
  | 'resid-post'
  | 'attention-out'
  | 'mlp-out'
  | 'neurons'
  | 'q'
  | 'k'
  | 'v'
  | 'pattern'
  | 'z';

export interface Site {
  readonly kind: SiteKind;
  readonly layer: number;
  /** heads of q, k, v, pattern, z; default all */
  readonly heads?: readonly number[];
  /** of `neurons`; default all of the layer */
  readonly neurons?: readonly number[];
  /** positions (of queries, for `pattern`); default all */
  readonly positions?: readonly number[];
  /** positions of keys, of `pattern` alone; default all */
  readonly keys?: readonly number[];
  /** 0 keeps, 1 replaces (default), between interpolates */
  readonly amount?: number;
}

/** Of an edge out of an MLP only what one of its neurons writes, or of an edge into an MLP only what one of its neurons reads. */
export type EdgeNeuron = { readonly from: number } | { readonly into: number };

/**
 * One question: its answer is the metric of every example with the intervention made.
 * - `sites`: values replaced at sites (activation patching)
 * - `edge`: what one reader reads from one sender is replaced, by `weight` (default all of it), at all positions or at those given
 *   for each example of the batch; everything else recomputed
 * - `circuit`: every edge not kept is cut at once; `keep` [edge] holds 1 (kept) … 0 (cut)
 *
 * @example
 * ```ts
 * import { makeUniverse, type Question } from 'thevenin';
 *
 * const universe = makeUniverse({ nLayers: 12, nHeads: 12, hasMlp: true, parallelBlocks: false });
 * const questions: Question[] = [
 *   { kind: 'sites', sites: [{ kind: 'resid-pre', layer: 3, positions: [14] }] }, // the stream at one position
 *   { kind: 'sites', sites: [{ kind: 'z', layer: 9, heads: [6, 9] }] }, // two heads at once
 *   { kind: 'edge', edge: universe.edgeIndex('a5.h5->a8.h6<v>')! },
 *   { kind: 'edge', edge: universe.edgeIndex('input->m0')!, weight: 0.5 }, // half way to the alternative
 *   { kind: 'circuit', keep: new Uint8Array(universe.edgeCount).fill(1) }, // the whole model
 * ];
 * console.log(questions.length, universe.edgeCount);
 * ```
 */
export type Question =
  | { readonly kind: 'sites'; readonly sites: readonly Site[] }
  | {
      readonly kind: 'edge';
      readonly edge: EdgeId | number;
      readonly weight?: number;
      readonly positions?: readonly (readonly number[])[];
      readonly neuron?: EdgeNeuron;
    }
  | { readonly kind: 'circuit'; readonly keep: Uint8Array | Float32Array };
