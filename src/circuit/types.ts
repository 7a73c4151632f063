/** The graph whose subgraphs are circuits: residual-stream writers (senders), readers (receivers), and the edges between them. */

export type Brand<T, B extends string> = T & { readonly __brand: B };
/** Index of an edge in its universe's canonical order. */
export type EdgeId = Brand<number, 'EdgeId'>;

/** What the edge universe depends on. */
export interface GraphShape {
  readonly nLayers: number;
  readonly nHeads: number;
  readonly hasMlp: boolean;
  /** attention and MLP read the same input: no edge from a layer's heads to its own MLP */
  readonly parallelBlocks: boolean;
}

/** One kind of reader. `q`, `k`, `v` belong to a head; `mlp` and `logits` to a layer and to the model. */
export type ReaderKind = 'q' | 'k' | 'v' | 'mlp' | 'logits';

export interface Sender {
  readonly name: string; // input | a{l}.h{h} | m{l}
  readonly kind: 'input' | 'head' | 'mlp';
  /** -1 for input */
  readonly layer: number;
  /** -1 unless a head */
  readonly head: number;
}

export interface Reader {
  readonly name: string; // a{l}.h{h}<q|k|v> | m{l} | logits
  readonly kind: ReaderKind;
  /** nLayers for logits */
  readonly layer: number;
  readonly head: number;
  /** senders 0 … senderCount-1 are upstream of this reader */
  readonly senderCount: number;
}

/**
 * All senders, readers and edges of a shape. Orders are canonical and fixed (those of EAP-IG's Graph):
 * senders: input, then per layer its heads and its MLP; readers: per layer all q, all k, all v, the MLP; at the end logits;
 * edges: per layer, for each earlier sender, for each head, q k v; then each sender → MLP; at the end each sender → logits.
 */
export interface Universe {
  readonly shape: GraphShape;
  readonly senders: readonly Sender[];
  readonly readers: readonly Reader[];
  readonly edgeCount: number;
  /** edge → index into senders / readers */
  readonly edgeSender: Int32Array;
  readonly edgeReader: Int32Array;
  /** `a0.h1->a2.h3<k>` */
  edgeName(edge: number): string;
  /** undefined when there is no such edge */
  edgeIndex(name: string): EdgeId | undefined;
  /** index of the edge sender → reader, or -1 */
  edgeBetween(sender: number, reader: number): number;
  senderIndex(name: string): number | undefined;
  readerIndex(name: string): number | undefined;
}

/** One number per edge, mean over examples; positive = the edge helps the task. */
export interface Scores {
  readonly method: string;
  /** [edge] */
  readonly mean: Float64Array;
  /** [example, edge], in the order of the examples scored; null when the method has none */
  readonly perExample: Float32Array | null;
  readonly exampleCount: number;
}

/** A set of edges over a universe and how it was chosen. */
export interface Circuit {
  /** [edge] 1 = in the circuit, after pruning */
  readonly edges: Uint8Array;
  /** edges chosen before dead ends were pruned */
  readonly chosenCount: number;
  /** edges left after pruning */
  readonly edgeCount: number;
  readonly selection: {
    readonly rule: string; // top-n | threshold | greedy | …
    readonly by: 'absolute' | 'signed';
    readonly requested: number;
    /** how many edges tied with the last one chosen were left out */
    readonly tiesLeftOut: number;
  };
}
