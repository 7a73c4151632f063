/**
 * The whole model as one program of its edges' masks, so that one gradient tells what every mask does:
 *
 *     x_r = alternative stream at r + Σ_s mask(s→r) · (out_s − alt_s)
 *
 * with an input of its own for every reader, and the senders' outputs those of the masked model. Where a norm follows attention, a
 * reader reads of every layer the norm of its own mixture of that layer's heads. Masks of 0 and 1 make the circuits
 * that the engine asks about; masks between them interpolate.
 */
import type { Universe } from '../../../circuit/types.js';
import {
  maskName,
  mlpReads,
  attentionPattern,
  attentionSum,
  mlp,
  normalise,
  normsWrites,
  rotate,
  type Arithmetic,
} from '../../../model/blocks.js';
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
  const { nLayers, nHeads } = arithmetic.config;
  const reads = mlpReads(arithmetic.config);
  const alternative = (name: string): Value => stream(name, arithmetic, 1);
  const [heads, feedForward] = [headsPart(arithmetic), reads === null ? null : mlpPart(arithmetic)];
  const said: Said[] = [direct(p.sub(alternative('input'), alternative('pre.0')))];
  let reader = 0;
  const read = (name: string, count: number): Value => {
    const x = readersOf(build, { first: reader, count }, { said, alternative: alternative(name) });
    reader += count;
    return x;
  };
  for (let layer = 0; layer < nLayers; layer++) {
    const intoHeads = read(`pre.${layer}`, 3 * nHeads);
    const alt = p.input(`z.${layer}`, headShape(arithmetic));
    const change = heads(layer, { x: intoHeads, alt });
    const behind = (x: Value): Value => mixPart(arithmetic, x.shape[0] as number)(layer, { x, alt });
    said.push({ change, behind: normsWrites(arithmetic) ? behind : null });
    if (!feedForward) continue;
    const x = read(`${reads}.${layer}`, 1);
    said.push(direct(feedForward(layer, { x, alt: alternative(`m.${layer}`) })));
  }
  if (reader + 1 !== universe.readers.length) throw new Error('discovery/masks: readers are not in canonical order');
  return read('final', 1);
}

/** What neighbouring senders say differently. */
interface Said {
  /** [senders, examples, pos, d] */
  readonly change: Value;
  /** what a masked sum of it [readers, examples, pos, d] changes in the stream; null: itself */
  readonly behind: ((x: Value) => Value) | null;
}

const direct = (change: Value): Said => ({ change, behind: null });

const headShape = ({ config: { nHeads, dHead } }: Arithmetic): Dim[] => [1, B, nHeads, POS, dHead];

/** What readers that see the same senders read: [readers, examples, pos, d]. */
function readersOf(
  { universe, arithmetic, mask, tables }: Build,
  { first, count }: { first: number; count: number },
  { said, alternative }: { said: readonly Said[]; alternative: Value },
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
  const byReader = p.reshape(masks, [count, senders]);
  const summed = (changes: readonly Value[], own: Value): Value => {
    const rows = own.shape[1] as number;
    const flat = p.reshape(p.concat(changes, 0), [rows, p.multiplyDims(TOKENS, dModel)]);
    return p.reshape(p.matmul(own, flat), [count, B, POS, dModel]);
  };
  if (upstream.every(({ behind }) => behind === null)) {
    const changes = upstream.map(({ change }) => change);
    return p.add(summed(changes, byReader), alternative);
  }
  let row = 0;
  let x = p.broadcast(alternative, [count, B, POS, dModel]);
  for (const { change, behind } of upstream) {
    const next = row + (change.shape[0] as number);
    const own = summed([change], p.slice(byReader, 1, [row, next]));
    x = p.add(x, behind ? behind(own) : own);
    row = next;
  }
  return x;
}

/** The first blocks of senders that together are `count`. */
function upTo(said: readonly Said[], count: number): readonly Said[] {
  let sum = 0;
  return said.filter(({ change }) => (sum += change.shape[0] as number) <= count);
}

type Part = (layer: number, leaves: { x: Value; alt: Value }) => Value;

/** An expression over `x` and `alt`, to be filled in for each layer: its parameters are then called `{layer}.{name}`. */
export function part(expression: Value, { config }: Arithmetic): Part {
  const { outputs, parameters, inputs } = p.makeProgram('part', { value: expression });
  return (layer, { x, alt }) => {
    const mask = inputs.find(({ attributes }) => attributes.name === 'mask');
    const own = mask && p.input(maskName(config, layer), mask.shape);
    const leaves: Readonly<Record<string, Value | undefined>> = { x, alt, mask: own };
    const weights = parameters.map((leaf): [Value, Value] => [
      leaf,
      p.parameter(`${layer}.${leaf.attributes.name}`, leaf.shape),
    ]);
    const given = inputs.flatMap((leaf): [Value, Value][] => {
      const value = leaves[leaf.attributes.name];
      return value ? [[leaf, value]] : [];
    });
    return p.substitute([outputs['value'] as Value], new Map([...weights, ...given]))[0] as Value;
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
  return part(p.reshape(out, [nHeads, B, POS, dModel]), arithmetic);
}

const mlpPart = (arithmetic: Arithmetic): Part =>
  part(p.sub(mlp(stream('x', arithmetic, 1), arithmetic).output, stream('alt', arithmetic, 1)), arithmetic);

/** What heads write differently, mixed [readers, examples, pos, d], behind the norm that follows attention. */
function mixPart(arithmetic: Arithmetic, readers: number): Part {
  const sum = attentionSum(p.input('alt', headShape(arithmetic)), arithmetic);
  const behind = (x: Value): Value => normalise(x, 'ln1Post', arithmetic);
  return part(p.sub(behind(p.add(sum, stream('x', arithmetic, readers))), behind(sum)), arithmetic);
}
