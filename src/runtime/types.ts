/** Where arithmetic runs: one interface, several runtimes. */
import type { DType, Program } from '../program/index.js';

/**
 * An array that lives where its runtime keeps it. `float` is float32 (float64 on the reference runtime), `int` is int32
 * to the caller, whatever the runtime stores.
 */
export interface Tensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** The values in C order. May be a view of the runtime's own memory: read it, never write it. */
  read(): Promise<Float32Array | Float64Array | Int32Array>;
  /** Gives its memory back; a tensor is used no more after that. Disposing twice is harmless. */
  dispose(): void;
}

export type Tensors = Readonly<Record<string, Tensor>>;

/** A prepared program. Running it never disposes its inputs; the caller owns the outputs. */
export interface Kernel {
  readonly program: Program;
  /**
   * @param inputs one tensor per program input, by name; extra names are an error
   * @param wanted names of the outputs to return (default: all); a runtime may skip what only the others need
   * @throws when a size contradicts the program's shapes, naming the input and both shapes
   */
  run(inputs: Tensors, wanted?: readonly string[]): Promise<Tensors>;
  dispose(): Promise<void>;
}

export type Constant = Float32Array | Float64Array | Int32Array;

export interface RuntimeInfo {
  readonly key: string;
  /** e.g. `onnxruntime-node 1.30.0, CPU, 2 threads` */
  readonly title: string;
  /** what its floats are */
  readonly precision: 'float32' | 'float64';
  readonly threads: number;
  /** whether the arithmetic runs on a graphics card (left out: on the CPU) */
  readonly onGpu?: boolean;
  /** it computes shapes alone: parameters need no values, and tensors read as zeros */
  readonly shapesOnly?: boolean;
}

/** Rows that arrive a few at a time and are read together, in memory that is taken once. */
export interface Stack {
  /** The values of `rows` [count, …] are copied behind those already there. */
  push(rows: Tensor): void;
  /** All rows pushed so far; shares the stack's memory. Dispose it like any other tensor. */
  all(): Tensor;
  dispose(): void;
}

/** What a runtime does with memory of disposed tensors. */
export interface Keeping {
  /** bytes of it that are kept for new tensors at most */
  readonly bytes: number;
  /** how large the memory is that a tensor of so many bytes gets */
  sizeOf(bytes: number): number;
}

export interface Runtime {
  readonly info: RuntimeInfo;
  /** Compiles a program and takes its parameters; the constants may be released by the caller afterwards. */
  prepare(program: Program, constants?: Readonly<Record<string, Constant>>): Promise<Kernel>;
  /** A tensor from values in C order; the runtime may keep the array itself, so do not write to it afterwards. */
  tensor(values: Constant, shape: readonly number[], dtype?: DType): Tensor;
  /** Rows start … end-1 of the first axis; shares memory where the runtime can. Dispose it like any other tensor. */
  rows(tensor: Tensor, start: number, end: number): Tensor;
  /** The same values under another shape; shares memory where the runtime can. */
  reshape(tensor: Tensor, shape: readonly number[]): Tensor;
  /** Room for up to `capacity` float rows of this shape. Left out where tensors cannot be written to. */
  stack?(row: readonly number[], capacity: number): Stack;
  /** What becomes of the memory of disposed tensors; left out: it goes back. */
  readonly keeping?: Keeping;
  dispose(): Promise<void>;
}

export interface RuntimeOptions {
  /** 0: the runtime's own choice (the physical cores) */
  readonly threads: number;
}

/** What `doctor` says of a runtime. */
export interface RuntimeProbe {
  readonly key: string;
  readonly works: boolean;
  readonly onGpu: boolean;
  /** title when it works; else why not and what to do, in one line */
  readonly note: string;
}
