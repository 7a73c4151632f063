import type * as tfjs from '@tensorflow/tfjs';
import type { Needs } from '../peer.js';
import type { RuntimeOptions } from '../types.js';

/** The tfjs namespace, whichever package brought it. */
export type Tf = typeof tfjs;
export type TfTensor = tfjs.Tensor;

/** A tfjs backend that is loaded and answers. */
export interface LoadedBackend {
  readonly tf: Tf;
  /** tfjs's own name for it */
  readonly name: 'tensorflow' | 'wasm' | 'webgpu';
  /** one line: versions and device */
  readonly title: string;
  readonly threads: number;
  /** whether the arithmetic runs on a graphics card (a software one is none) */
  readonly onGpu: boolean;
  /** Whether its matMul broadcasts batch axes as numpy does; the others take batches that are equal, or 1. */
  readonly broadcastsBatches: boolean;
  /**
   * What the device has reported. Such errors arrive beside the calls that caused them and spoil whatever was queued with
   * them, so after one nothing is read from this backend any more.
   */
  readonly faults: readonly string[];
  /** What this backend's own kernels get wrong. */
  readonly repairs: Repairs;
}

/** Ops done otherwise than by calling tfjs's op of that name. */
export interface Repairs {
  /** what a comparison says, as 0 and 1 in float32 */
  toFloat?(x: TfTensor): TfTensor;
  sin?(x: TfTensor): TfTensor;
  cos?(x: TfTensor): TfTensor;
}

/** One way to run tfjs. A new one is one record in the registry. Its packages are all optional for Thevenin. */
export interface TfjsBackend extends Needs {
  /** what it is, for lists */
  readonly title: string;
  /** Of a backend meant for graphics cards: what to do where it finds none. `auto` takes it only on a card. */
  readonly withoutGpu?: string;
  load(options: RuntimeOptions): Promise<LoadedBackend>;
}
