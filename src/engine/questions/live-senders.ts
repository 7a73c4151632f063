/** Which nodes of a circuit have to be computed. */
import type { Universe } from '../../circuit/types.js';
import { nodeOfReader } from '../../circuit/universe.js';

/** [edge] 1 keeps what the model says, 0 cuts, between interpolates. */
export type Keep = Uint8Array | Float32Array;

/**
 * Nodes that say what they say in the base run, so that they need not be computed: every edge into them is kept, from nodes of
 * which the same holds.
 */
export function untouchedSenders(universe: Universe, keep: Keep): Uint8Array {
  const { edgeSender, edgeReader, edgeCount } = universe;
  const nodeOf = universe.readers.map((_, reader) => nodeOfReader(universe, reader));
  const untouched = new Uint8Array(universe.senders.length).fill(1);
  for (let edge = 0; edge < edgeCount; edge++) {
    const node = nodeOf[edgeReader[edge] as number] as number;
    if (node >= 0 && (keep[edge] !== 1 || untouched[edgeSender[edge] as number] === 0)) untouched[node] = 0;
  }
  return untouched;
}

/**
 * The senders that have to be computed: those that can differ from their alternative (with a made-up alternative: all, since a
 * node with no input kept still computes something) and whose output can reach the logits.
 *
 * @param isRun the alternatives are one run of the model
 */
export function activeSenders(universe: Universe, keep: Keep, isRun: boolean): Uint8Array {
  const { edgeSender, edgeReader, edgeCount } = universe;
  const nodeOf = universe.readers.map((_, reader) => nodeOfReader(universe, reader));
  const node = (edge: number): number => nodeOf[edgeReader[edge] as number] as number;
  const differs = new Uint8Array(universe.senders.length).fill(isRun ? 0 : 1);
  differs[0] = 1;
  // edges are ordered by their reader's layer, so one sweep up and one down settle both questions
  for (let edge = 0; edge < edgeCount; edge++)
    if (keep[edge] !== 0 && differs[edgeSender[edge] as number] === 1 && node(edge) >= 0) differs[node(edge)] = 1;
  const matters = new Uint8Array(universe.senders.length);
  for (let edge = edgeCount - 1; edge >= 0; edge--)
    if (keep[edge] !== 0 && (node(edge) < 0 || matters[node(edge)] === 1)) matters[edgeSender[edge] as number] = 1;
  return differs.map((one, sender) => one & (matters[sender] as number));
}
