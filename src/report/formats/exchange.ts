/**
 * Circuits in the exchange format of EAP-IG's `Graph.to_json` and of the MIB leaderboard:
 *
 *     {"cfg": {"n_layers", "n_heads", "parallel_attn_mlp", "d_model"},
 *      "nodes": {"a0.h0": {"in_graph"}}, "edges": {"input->a0.h0<q>": {"score", "in_graph"}}}
 *
 * Scores here are means over pairs, positive = the edge helps. EAP-IG stores the effect on its loss, the negated metric, so the
 * sign is the same where the loss is -metric. Its scale is the mean where its metric sums over a batch; where the metric takes the
 * mean, a stored score is smaller by the batch size, which a file does not say: the reader is told. NaN = not scored, as in EAP-IG.
 */
import { invariant, refuse } from '../../errors.js';
import { flawOfJson } from '../../json-value.js';
import { nodesIn } from '../../circuit/compare.js';
import { makeUniverse } from '../../circuit/universe.js';
import type { GraphShape, Universe } from '../../circuit/types.js';

export interface ScoredCircuit {
  readonly universe: Universe;
  readonly dModel: number;
  /** [edge]; NaN = not scored */
  readonly scores: Float64Array;
  /** [edge] 1 = in the circuit */
  readonly edges: Uint8Array;
}

const line = (name: string, value: string): string => `${JSON.stringify(name)}: ${value}`;

/** Writes every edge's score and whether it is in the circuit. One edge per line, canonical order. */
export const writeExchange = ({ universe, dModel, scores, edges }: ScoredCircuit): string => {
  invariant(
    scores.length === universe.edgeCount && edges.length === universe.edgeCount,
    'one score and one mark per edge',
  );
  const { nLayers, nHeads, parallelBlocks } = universe.shape;
  const cfg = { n_layers: nLayers, n_heads: nHeads, parallel_attn_mlp: parallelBlocks, d_model: dModel };
  const inGraph = nodesIn(universe, edges);
  const nodes = universe.senders.map(({ name }, s) => line(name, `{"in_graph": ${inGraph[s] === 1}}`));
  nodes.push(line('logits', '{"in_graph": true}'));
  const lines = Array.from(scores, (score, edge) =>
    line(universe.edgeName(edge), `{"score": ${score}, "in_graph": ${edges[edge] === 1}}`),
  );
  return `{"cfg": ${JSON.stringify(cfg)},\n"nodes": {\n${nodes.join(',\n')}\n},\n"edges": {\n${lines.join(',\n')}\n}}\n`;
};

export interface ReadOptions {
  /** names the file in a refusal */
  readonly file: string;
  /** the file's scores times this are means over pairs (EAP-IG with a metric that takes the mean: the batch size) */
  readonly scale?: number;
  /** what a positive score says there: the edge helps (a loss grows without it), or the metric itself grows without it */
  readonly positive?: 'helps' | 'hurts';
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Python writes NaN, which JSON does not know. */
const parseJson = (text: string, fail: (what: string) => never): Fields => {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/:\s*NaN\b/g, ':null'));
  } catch (error) {
    return fail(`not JSON (${(error as Error).message})`);
  }
  const flaw = flawOfJson(parsed);
  if (flaw !== null) return fail(flaw);
  return isFields(parsed) ? parsed : fail('not a JSON object');
};

/** Nodes that a shape has: the input, heads, MLPs, the logits. */
const countNodes = ({ nLayers, nHeads, hasMlp }: GraphShape): number => 2 + nLayers * (nHeads + (hasMlp ? 1 : 0));

/**
 * A file names every node that its shape has (edges it may leave out). That is held against it before a graph of that size is built,
 * whose edges grow with the square of the nodes.
 */
const checkNodes = (shape: GraphShape, nodes: Fields, fail: (what: string) => never): void => {
  const [expected, found] = [countNodes(shape), Object.keys(nodes).length];
  if (expected > found)
    fail(
      `${shape.nLayers} layers of ${shape.nHeads} heads have ${expected} nodes with input and logits, "nodes" has ${found}`,
    );
};

const readShape = (
  cfg: unknown,
  nodes: unknown,
  fail: (what: string) => never,
): GraphShape & { readonly dModel: number } => {
  if (!isFields(cfg) || !isFields(nodes)) return fail('"cfg" and "nodes" are needed');
  const count = (field: string): number => {
    const value = cfg[field];
    return Number.isSafeInteger(value) && (value as number) > 0
      ? (value as number)
      : fail(`"cfg.${field}" is no positive number`);
  };
  const sizes = { nLayers: count('n_layers'), nHeads: count('n_heads'), hasMlp: Object.hasOwn(nodes, 'm0') };
  const shape = { ...sizes, parallelBlocks: cfg['parallel_attn_mlp'] === true };
  checkNodes(shape, nodes, fail);
  return { ...shape, dModel: count('d_model') };
};

/** Reads a circuit; edges that the file does not have are unscored and outside. Refuses edges the graph does not have. */
export const readExchange = (text: string, { file, scale = 1, positive = 'helps' }: ReadOptions): ScoredCircuit => {
  const fail = (what: string): never =>
    refuse('circuit/exchange', `${file}: ${what}; expected a circuit as EAP-IG's Graph.to_json writes it`);
  const parsed = parseJson(text, fail);
  const { dModel, ...shape } = readShape(parsed['cfg'], parsed['nodes'], fail);
  const universe = makeUniverse(shape);
  const scores = new Float64Array(universe.edgeCount).fill(NaN);
  const edges = new Uint8Array(universe.edgeCount);
  const factor = positive === 'helps' ? scale : -scale;
  if (!isFields(parsed['edges'])) return fail('"edges" is needed');
  for (const [name, entry] of Object.entries(parsed['edges'])) {
    const edge =
      universe.edgeIndex(name) ?? fail(`"${name}" is no edge of ${shape.nLayers} layers of ${shape.nHeads} heads`);
    if (!isFields(entry)) return fail(`edge "${name}" is not an object`);
    const { score, in_graph: inGraph } = entry;
    if (score !== null && score !== undefined && typeof score !== 'number') fail(`the score of "${name}" is no number`);
    scores[edge] = typeof score === 'number' ? score * factor : NaN;
    if (Math.abs(scores[edge]) === Infinity)
      fail(`the score of "${name}", times ${factor}, is beyond what a float64 can hold`);
    edges[edge] = inGraph === true ? 1 : 0;
  }
  return { universe, dModel, scores, edges };
};
