/** What is studied: a model = config + named weights + tokenizer. */

export type NormKind = 'LN' | 'RMS' | null;
export type ActivationKind = 'relu' | 'gelu' | 'gelu_new' | 'silu';

/**
 * The shape and the arithmetic of a transformer, in TransformerLens' terms. An architecture file fills it in from a
 * checkpoint's own config; nothing after the loader asks which architecture it came from.
 */
export interface ModelConfig {
  readonly name: string;
  /** key of the architecture in the registry, e.g. `gpt2` */
  readonly architecture: string;
  readonly nLayers: number;
  readonly nHeads: number;
  /** fewer than nHeads: grouped-query attention; query head h reads key-value head floor(h * nKeyValueHeads / nHeads) */
  readonly nKeyValueHeads: number;
  readonly dModel: number;
  readonly dHead: number;
  /** 0: attention-only */
  readonly dMlp: number;
  readonly activation: ActivationKind;
  readonly gatedMlp: boolean;
  /** null: the model has no norms at all (also no final one) */
  readonly norm: NormKind;
  readonly normEps: number;
  readonly positional: 'learned' | 'rotary' | 'none';
  readonly rotary: {
    readonly base: number;
    /** how many of the dHead dimensions rotate */
    readonly dims: number;
    /** pairs (0,1),(2,3)… instead of (0,dims/2),(1,dims/2+1)… */
    readonly adjacentPairs: boolean;
  } | null;
  readonly attention: 'causal' | 'bidirectional';
  /** scores are q·k / attnScale */
  readonly attnScale: number;
  /** attention and MLP both read the block's input */
  readonly parallelBlocks: boolean;
  /** where a block's norms stand: before what reads the stream, after what writes to it (before it is added); default before alone */
  readonly normPlaces?: { readonly before: boolean; readonly after: boolean };
  /** norms multiply with it plus their stored weight; default 0 */
  readonly normOffset?: number;
  /** per layer, how many positions a query sees, its own included; null: all up to its own; default null everywhere */
  readonly windows?: readonly (number | null)[];
  /** scores become cap · tanh(scores / cap) before mask and softmax; default as they are */
  readonly scoreCap?: number;
  /** so do the logits */
  readonly logitCap?: number;
  /** token embeddings enter the stream multiplied with it; default 1 */
  readonly embeddingScale?: number;
  readonly nCtx: number;
  readonly dVocab: number;
  readonly dVocabOut: number;
}

/**
 * Named weights, read on demand so that no file is ever held whole. Names and shapes (C order, float32):
 *
 *     embed.W_E [dVocab, d]        pos_embed.W_pos [nCtx, d]      unembed.W_U [d, dVocabOut]   unembed.b_U [dVocabOut]
 *     ln_final.w, ln_final.b [d]   blocks.{l}.ln1.w|b, ln2.w|b, ln1_post.w|b, ln2_post.w|b [d]
 *     blocks.{l}.attn.W_Q [nHeads, d, dHead]   W_K, W_V [nKeyValueHeads, d, dHead]   W_O [nHeads, dHead, d]
 *     blocks.{l}.attn.b_Q [nHeads, dHead]      b_K, b_V [nKeyValueHeads, dHead]      b_O [d]
 *     blocks.{l}.mlp.W_in, W_gate [d, dMlp]    b_in [dMlp]    W_out [dMlp, d]        b_out [d]
 *
 * An absent bias is zero; an absent norm weight is one. `unembed.W_U` is always there (a tied model answers it from `embed.W_E`).
 */
export interface Weights {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** The whole tensor, widened to float32. */
  read(name: string): Promise<Float32Array>;
  /** Chosen rows (first axis) of a matrix: [rows.length, columns]; reads no more of the file than it must. */
  rows(name: string, rows: readonly number[]): Promise<Float32Array>;
  /** Chosen columns (last axis) of a matrix: [columns.length, rows], one column after the other. */
  columns(name: string, columns: readonly number[]): Promise<Float32Array>;
  /** SHA-256 over the weight files, hex. */
  digest(): Promise<string>;
  close(): Promise<void>;
}

export interface Tokenizer {
  /** Token ids of the text as written: nothing is prepended; a special token spelt out in the text becomes its id, as in the peers. */
  encode(text: string): number[];
  decode(ids: readonly number[]): string;
  /** The text of a single token, for tables and pictures. */
  tokenText(id: number): string;
  readonly bosId: number | null;
  /** whether the tokenizer's own template prepends BOS (what `bos: auto` follows) */
  readonly prependsBos: boolean;
  readonly vocabSize: number;
  /** SHA-256, hex, of what defines it */
  readonly digest: string;
  /** which file or metadata it was read from */
  readonly origin?: string;
}

export interface Model {
  readonly config: ModelConfig;
  readonly weights: Weights;
  /** null: the model is asked with token ids only */
  readonly tokenizer: Tokenizer | null;
  /** what the user named: a folder or a file */
  readonly source: string;
  dispose(): Promise<void>;
}
