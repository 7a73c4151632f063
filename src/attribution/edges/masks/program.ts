/**
 * The whole model as one program of its edges' masks, so that one gradient tells what every mask does:
 *
 *     x_r = alternative stream at r + Σ_s mask(s→r) · (out_s − alt_s)
 *
 * with an input of its own for every reader, and the senders' outputs those of the masked model. Masks of 0 and 1 make the circuits
 * that the engine asks about; masks between them interpolate.
 */
import type { Universe } from '../../../circuit/types.js';
import { attentionPattern, mlp, normalise, rotate, type Arithmetic } from '../../../model/blocks.js';
import * as p from '../../../program/index.js';
import type { Dim, Value } from '../../../program/index.js';
import type { WholeModel } from '../whole-model.js';

export const B = 'examples';
export const POS = 'pos';
const TOKENS = p.multiplyDims(B, POS);

/** Which edges (row by row) the readers of a gather of the masks read: [readers, senders]. */
export interface EdgeTable {
  readonly shape: readonly [number, number];
  readonly edges: Int32Array;
}

/** Learned are the masks: inputs `edge.mask` [edges] and the alternatives. */
export interface MaskedModel extends WholeModel {
  readonly tables: ReadonlyMap<string, EdgeTable>;
}

/** Alternatives are inputs by the names `pre.0`, `mid.0`, `z.0`, `m.0` …, `final`; the clean embedding is `input`. */
export function maskedModel(arithmetic: Arithmetic, universe: Universe): MaskedModel {
  const mask = p.input('edge.mask', [universe.edgeCount]);
  const tables = new Map<string, EdgeTable>();
  const final = finalStream({ arithmetic, universe, mask, tables });
  const arriving = stream('gradient', arithmetic, 1);
  const [gradient] = p.differentiate([{ of: final, gradient: arriving }], [mask]) as [Value];
  return {
    forward: p.makeProgram('masked model', { final }),
    backward: p.makeProgram('gradient at the masks', { gradient }),
    tables,
  };
}

interface Build {
  readonly arithmetic: Arithmetic;
  readonly universe: Universe;
  readonly mask: Value;
  readonly tables: Map<string, EdgeTable>;
}

const stream = (name: string, { config }: Arithmetic, copies: Dim): Value =>
  p.input(name, [copies, B, POS, config.dModel]);

function finalStream(build: Build): Value {
  const { arithmetic, universe } = build;
  const { nLayers, nHeads, dMlp, parallelBlocks } = arithmetic.config;
  const alternative = (name: string): Value => stream(name, arithmetic, 1);
  const [heads, feedForward] = [headsPart(arithmetic), dMlp > 0 ? mlpPart(arithmetic) : null];
  const said = [p.sub(alternative('input'), alternative('pre.0'))]; // what senders say differently, [senders, examples, pos, d]
  let reader = 0;
  const read = (name: string, count: number): Value => {
    const x = readersOf(build, { first: reader, count }, { said, alternative: alternative(name) });
    reader += count;
    return x;
  };
  for (let layer = 0; layer < nLayers; layer++) {
    const intoHeads = read(`pre.${layer}`, 3 * nHeads);
    const change = heads(layer, { x: intoHeads, alt: p.input(`z.${layer}`, headShape(arithmetic)) });
    if (!feedForward) said.push(change);
    else if (parallelBlocks) said.push(change, feedForward(layer, mlpLeaves(read(`pre.${layer}`, 1), layer)));
    else {
      said.push(change);
      said.push(feedForward(layer, mlpLeaves(read(`mid.${layer}`, 1), layer)));
    }
  }
  function mlpLeaves(x: Value, layer: number): { x: Value; alt: Value } {
    return { x, alt: alternative(`m.${layer}`) };
  }
  if (reader + 1 !== universe.readers.length) throw new Error('discovery/masks: readers are not in canonical order');
  return read('final', 1);
}

const headShape = ({ config: { nHeads, dHead } }: Arithmetic): Dim[] => [1, B, nHeads, POS, dHead];

/** What readers that see the same senders read: [readers, examples, pos, d]. */
function readersOf(
  { universe, arithmetic, mask, tables }: Build,
  { first, count }: { first: number; count: number },
  { said, alternative }: { said: readonly Value[]; alternative: Value },
): Value {
  const { dModel } = arithmetic.config;
  const senders = universe.readers[first]!.senderCount;
  const name = `edges.${first}`;
  const edges = Int32Array.from({ length: count * senders }, (_, i) =>
    universe.edgeBetween(i % senders, first + Math.floor(i / senders)),
  );
  tables.set(name, { shape: [count, senders], edges });
  const masks = p.gather(mask, p.parameter(name, [count * senders], 'int'), 0);
  const upstream = upTo(said, senders);
  const flat = p.reshape(p.concat(upstream, 0), [senders, p.multiplyDims(TOKENS, dModel)]);
  const sum = p.matmul(p.reshape(masks, [count, senders]), flat);
  return p.add(p.reshape(sum, [count, B, POS, dModel]), alternative);
}

/** The first blocks of senders that together are `count`. */
function upTo(said: readonly Value[], count: number): readonly Value[] {
  let sum = 0;
  const upstream = said.filter(({ shape }) => (sum += shape[0] as number) <= count);
  return upstream;
}

type Part = (layer: number, leaves: { x: Value; alt: Value }) => Value;

/** An expression over `x` and `alt`, to be filled in for each layer: its parameters are then called `{layer}.{name}`. */
function part(expression: Value): Part {
  const { outputs, parameters, inputs } = p.makeProgram('part', { value: expression });
  return (layer, { x, alt }) => {
    const leaves: Readonly<Record<string, Value | undefined>> = { x, alt };
    const own = parameters.map((leaf): [Value, Value] => [
      leaf,
      p.parameter(`${layer}.${leaf.attributes.name}`, leaf.shape),
    ]);
    const given = inputs.flatMap((leaf): [Value, Value][] => {
      const value = leaves[leaf.attributes.name];
      return value ? [[leaf, value]] : [];
    });
    return p.substitute([outputs['value'] as Value], new Map([...own, ...given]))[0] as Value;
  };
}

/** x [3 · heads, examples, pos, d], one input for every q, k and v → what the heads say differently [heads, examples, pos, d]. */
function headsPart(arithmetic: Arithmetic): Part {
  const { dModel, dHead, nHeads } = arithmetic.config;
  const readers = 3 * nHeads;
  const normed = normalise(stream('x', arithmetic, readers), 'ln1', arithmetic);
  const product = p.matmul(
    p.reshape(normed, [readers, TOKENS, dModel]),
    p.parameter('qkv.byHead', [readers, dModel, dHead]),
  );
  const bias = p.reshape(p.parameter('qkv.byHead.bias', [readers, dHead]), [readers, 1, dHead]);
  const all = p.reshape(p.add(product, bias), [readers, B, POS, dHead]);
  const role = (i: number): Value => p.slice(all, 0, [i * nHeads, (i + 1) * nHeads]); // [heads, examples, pos, dHead]
  const pattern = attentionPattern(rotate(role(0), arithmetic), rotate(role(1), arithmetic), arithmetic);
  const alt = p.transpose(p.input('alt', headShape(arithmetic)), [2, 1, 0, 3, 4]); // [heads, examples, 1, pos, dHead]
  const change = p.sub(p.matmul(pattern, role(2)), p.reshape(alt, [nHeads, B, POS, dHead]));
  const out = p.matmul(p.reshape(change, [nHeads, TOKENS, dHead]), p.parameter('o.byHead', [nHeads, dHead, dModel]));
  return part(p.reshape(out, [nHeads, B, POS, dModel]));
}

const mlpPart = (arithmetic: Arithmetic): Part =>
  part(p.sub(mlp(stream('x', arithmetic, 1), arithmetic).output, stream('alt', arithmetic, 1)));
