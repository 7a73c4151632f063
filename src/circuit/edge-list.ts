/**
 * Circuits that other libraries write as a list: an edge a line, in their names (`A0.1->A2.3.K` of auto-circuit, `<a0.1>-><a2.3_k>` of
 * ACDC), a score behind it where there is one. Empty lines and lines that begin with # are passed over.
 */
import { refuse } from '../errors.js';
import { edgesBetween } from './match.js';
import { readEdge, type Naming } from './names.js';
import type { Universe } from './types.js';

export interface EdgeList {
  /** [edge] 1 = listed */
  readonly edges: Uint8Array;
  /** [edge]; NaN = none given */
  readonly scores: Float64Array;
  /** lines that name no edge of the universe but a head's own wiring, q, k or v into the head, as ACDC counts them */
  readonly wiring: number;
}

const SCORED = /^(.+?)[\s,;]+([-+]?[\d.]+(?:[eE][-+]?\d+)?)$/;

/** The whole line as an edge (auto-circuit's names end in numbers), or else an edge and its score. */
function readLine(naming: Naming, line: string): { ends: ReturnType<typeof readEdge>; score: number } {
  const whole = readEdge(naming, line);
  if (whole !== null) return { ends: whole, score: NaN };
  const [, name = '', score = 'NaN'] = SCORED.exec(line) ?? [];
  return { ends: readEdge(naming, name), score: Number(score) };
}

/** @throws TheveninError circuit/exchange: a line that is no edge in these names, or an edge that the model has not */
export function readEdgeList(universe: Universe, text: string, of: { naming: Naming; file: string }): EdgeList {
  const edges = new Uint8Array(universe.edgeCount);
  const scores = new Float64Array(universe.edgeCount).fill(NaN);
  let wiring = 0;
  text.split(/\r?\n/).forEach((raw, i) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return;
    const where = `${of.file}:${i + 1}`;
    const { ends, score } = readLine(of.naming, line);
    if (ends === null)
      return refuse(
        'circuit/exchange',
        `${where}: "${line.slice(0, 80)}" is no edge in the names of ${of.naming.title}`,
      );
    if (ends[0].kind.startsWith('read-')) return void wiring++;
    const found = edgesBetween(universe, ends[0], ends[1]);
    if (found.length === 0)
      refuse(
        'circuit/exchange',
        `${where}: the model has no edge ${line}; give the model that the circuit was found in`,
      );
    for (const edge of found) {
      edges[edge] = 1;
      scores[edge] = score;
    }
  });
  return { edges, scores, wiring };
}
