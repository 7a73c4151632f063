/**
 * The edge universe of a model's shape: who writes to the residual stream, who reads from it, and every edge between them.
 *
 * With E(l) = 1 + l(H + M) senders before layer l (M = 1 with MLPs, else 0), layer l has 3H·E(l) edges into its heads and, with
 * MLPs, E(l) + H edges into its MLP (E(l) in a parallel block, whose MLP does not see its layer's heads); every sender has an
 * edge into the logits. Because the order is regular, an edge's index is arithmetic: no table of names is ever built.
 *
 * In a sequential block the edges into the MLP follow all edges into the heads; in a parallel block each sender's edges into the
 * heads are followed by its edge into the MLP, as in EAP-IG's Graph.
 */
import { invariant } from '../errors.js';
import type { EdgeId, GraphShape, Reader, Sender, Universe } from './types.js';

const QKV = ['q', 'k', 'v'] as const;

/** Where each layer's edges start in the canonical order, and how many senders its readers see. */
interface Layer {
  readonly attentionOffset: number;
  /** edges from one sender to the next, into the same head */
  readonly attentionStride: number;
  readonly attentionSenders: number;
  readonly mlpOffset: number;
  readonly mlpStride: number;
  readonly mlpSenders: number;
}

interface Layout {
  readonly layers: readonly Layer[];
  readonly logitsOffset: number;
  readonly senderCount: number;
  readonly edgeCount: number;
}

const layOut = ({ nLayers, nHeads, hasMlp, parallelBlocks }: GraphShape): Layout => {
  const layers: Layer[] = [];
  let offset = 0;
  let senders = 1; // input
  for (let l = 0; l < nLayers; l++) {
    const interleaved = hasMlp && parallelBlocks;
    const mlpSenders = hasMlp ? senders + (parallelBlocks ? 0 : nHeads) : 0;
    layers.push({
      attentionOffset: offset,
      attentionStride: 3 * nHeads + (interleaved ? 1 : 0),
      attentionSenders: senders,
      mlpOffset: offset + 3 * nHeads * (interleaved ? 1 : senders),
      mlpStride: interleaved ? 3 * nHeads + 1 : 1,
      mlpSenders,
    });
    offset += 3 * nHeads * senders + mlpSenders;
    senders += nHeads + (hasMlp ? 1 : 0);
  }
  return { layers, logitsOffset: offset, senderCount: senders, edgeCount: offset + senders };
};

const listSenders = ({ nLayers, nHeads, hasMlp }: GraphShape): Sender[] => {
  const senders: Sender[] = [{ name: 'input', kind: 'input', layer: -1, head: -1 }];
  for (let layer = 0; layer < nLayers; layer++) {
    for (let head = 0; head < nHeads; head++) senders.push({ name: `a${layer}.h${head}`, kind: 'head', layer, head });
    if (hasMlp) senders.push({ name: `m${layer}`, kind: 'mlp', layer, head: -1 });
  }
  return senders;
};

const listReaders = ({ nLayers, nHeads, hasMlp }: GraphShape, layout: Layout): Reader[] => {
  const readers: Reader[] = [];
  layout.layers.forEach(({ attentionSenders, mlpSenders }, layer) => {
    for (const kind of QKV) {
      for (let head = 0; head < nHeads; head++) {
        readers.push({ name: `a${layer}.h${head}<${kind}>`, kind, layer, head, senderCount: attentionSenders });
      }
    }
    if (hasMlp) readers.push({ name: `m${layer}`, kind: 'mlp', layer, head: -1, senderCount: mlpSenders });
  });
  readers.push({ name: 'logits', kind: 'logits', layer: nLayers, head: -1, senderCount: layout.senderCount });
  return readers;
};

/** How many edges a shape has, without building them. */
export const countEdges = (shape: GraphShape): number => layOut(shape).edgeCount;

/** Index of the edge from `sender` into `reader`, which must be downstream of it. */
const indexOf = (layout: Layout, sender: number, reader: Reader): number => {
  const { kind, layer, head } = reader;
  if (kind === 'logits') return layout.logitsOffset + sender;
  const { attentionOffset, attentionStride, mlpOffset, mlpStride } = layout.layers[layer]!;
  if (kind === 'mlp') return mlpOffset + sender * mlpStride;
  return attentionOffset + sender * attentionStride + 3 * head + QKV.indexOf(kind);
};

const fillEdges = (readers: readonly Reader[], layout: Layout): Pick<Universe, 'edgeSender' | 'edgeReader'> => {
  const edgeSender = new Int32Array(layout.edgeCount);
  const edgeReader = new Int32Array(layout.edgeCount);
  readers.forEach((reader, r) => {
    for (let s = 0; s < reader.senderCount; s++) {
      const edge = indexOf(layout, s, reader);
      edgeSender[edge] = s;
      edgeReader[edge] = r;
    }
  });
  return { edgeSender, edgeReader };
};

const lookUp = (names: readonly { readonly name: string }[]): ((name: string) => number | undefined) => {
  let index: Map<string, number> | undefined;
  return (name) => (index ??= new Map(names.map((node, i) => [node.name, i]))).get(name);
};

/** Builds the universe of a shape: counts as in the file header, orders as in {@link Universe}. */
export const makeUniverse = (shape: GraphShape): Universe => {
  const layout = layOut(shape);
  const senders = listSenders(shape);
  const readers = listReaders(shape, layout);
  const { edgeSender, edgeReader } = fillEdges(readers, layout);
  const senderIndex = lookUp(senders);
  const readerIndex = lookUp(readers);

  const edgeBetween = (sender: number, reader: number): number => {
    const to = readers[reader];
    return to === undefined || !(sender >= 0 && sender < to.senderCount) ? -1 : indexOf(layout, sender, to);
  };
  const edgeName = (edge: number): string => {
    invariant(edge >= 0 && edge < layout.edgeCount, `edge ${edge} is outside the universe's ${layout.edgeCount} edges`);
    return `${senders[edgeSender[edge]!]!.name}->${readers[edgeReader[edge]!]!.name}`;
  };
  const edgeIndex = (name: string): EdgeId | undefined => {
    const [from = '', to = '', ...rest] = name.split('->');
    const sender = senderIndex(from);
    const reader = readerIndex(to);
    if (sender === undefined || reader === undefined || rest.length > 0) return undefined;
    const edge = edgeBetween(sender, reader);
    return edge < 0 ? undefined : (edge as EdgeId);
  };
  return {
    shape,
    senders,
    readers,
    edgeCount: layout.edgeCount,
    edgeSender,
    edgeReader,
    edgeName,
    edgeIndex,
    edgeBetween,
    senderIndex,
    readerIndex,
  };
};

/** The sender a reader belongs to: a head for its q, k and v, an MLP for its input; -1 for logits. */
export const nodeOfReader = (universe: Universe, reader: number): number => {
  const { kind, layer, head } = universe.readers[reader]!;
  const { nHeads, hasMlp } = universe.shape;
  if (kind === 'logits') return -1;
  return 1 + layer * (nHeads + (hasMlp ? 1 : 0)) + (kind === 'mlp' ? nHeads : head);
};
