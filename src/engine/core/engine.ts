import { totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';
import { makeUniverse } from '../../circuit/universe.js';
import type { Universe } from '../../circuit/types.js';
import type { Arithmetic } from '../../model/blocks.js';
import { arithmeticOf, parameterValue } from '../../model/parameters.js';
import type { Model } from '../../model/types.js';
import type { Program } from '../../program/index.js';
import type { Constant, Kernel, Runtime, Tensors } from '../../runtime/types.js';
import { countPass, counted, noCounts, preparationOf, type Counters, type Passed } from './counters.js';
import { buildProgram, type KernelName, type Variant } from '../kernels/index.js';

export interface EngineOptions {
  /** ceiling for what the engine holds beside the weights, in bytes; default a quarter of the machine's memory, at most 4 GiB */
  readonly memoryBytes: number;
  /** tokens (questions × examples × positions) per kernel call where memory allows: where matrix products run fastest */
  readonly chunkTokens: number;
}

const DEFAULTS: EngineOptions = { memoryBytes: Math.min(4 * 2 ** 30, totalmem() / 4), chunkTokens: 1024 };

/** What views of one engine have in common. */
interface Shared {
  readonly programs: Map<string, Program>;
  readonly kernels: Map<string, Promise<Kernel>>;
  readonly counters: Counters;
  /** kernels that need not be prepared again where the work is done in earnest */
  readonly ready: ReadonlyMap<string, unknown>;
}

/**
 * A model on a runtime: owns the prepared kernels. Everything else in this room is functions of an engine.
 * Kernels are prepared when first needed; their number is bounded by layers × (programs and their few variants).
 *
 * Disposing of the engine gives back its kernels; the model and the runtime belong to the caller and may serve other engines.
 *
 * @example
 * ```ts
 * import { createRuntime, Engine, loadModel } from 'thevenin';
 *
 * const model = await loadModel('ioi'); // a bundled model, a Hugging Face folder, or a GGUF file
 * const runtime = await createRuntime('auto');
 * const engine = new Engine(model, runtime, { memoryBytes: 2 ** 30 });
 * console.log(engine.universe.edgeCount, engine.universe.edgeName(0));
 * await engine.dispose();
 * await runtime.dispose();
 * await model.dispose();
 * ```
 */
export class Engine {
  readonly universe: Universe;
  readonly arithmetic: Arithmetic;
  readonly counters: Counters;
  private limits: EngineOptions;

  constructor(
    readonly model: Model,
    readonly runtime: Runtime,
    options: Partial<EngineOptions> = {},
    private readonly shared: Shared = sharedBy(new Map(), new Map()),
  ) {
    const { config } = model;
    this.counters = shared.counters;
    const { nLayers, nHeads, parallelBlocks } = config;
    this.limits = { ...DEFAULTS, ...options };
    this.arithmetic = arithmeticOf(config, model.weights);
    this.universe = makeUniverse({ nLayers, nHeads, hasMlp: config.dMlp > 0, parallelBlocks });
  }

  /**
   * Runs one program of one layer; the caller owns what comes back. Inputs that this model's form of the program does not read
   * (without a norm, a gradient needs no stream) are left out.
   */
  async run<Name extends KernelName>(call: KernelCall<Name>): Promise<Tensors> {
    const kernel = await this.kernel(call);
    return kernel.run(readBy(kernel.program, call.inputs), call.wanted);
  }

  private kernel<Name extends KernelName>({ name, layer = 0, variant }: KernelCall<Name>): Promise<Kernel> {
    const form = `${name}${variant === undefined ? '' : JSON.stringify(variant)}`;
    const program = this.program(form, name, variant as Variant<Name>);
    const key = program.parameters.length === 0 ? form : `${form}@${layer}`;
    const known = this.shared.kernels.get(key);
    if (known) return known;
    if (!this.shared.ready.has(key)) this.counters.prepared += preparationOf(program);
    const made = this.prepare(program, layer);
    this.shared.kernels.set(key, made);
    return made;
  }

  /** Counts prompts, or parts of them, that went through some layers. */
  passed(way: 'forward' | 'backward', passed: Passed): void {
    countPass(this.counters, way, { ...passed, nLayers: this.model.config.nLayers });
  }

  private program<Name extends KernelName>(form: string, name: Name, variant: Variant<Name>): Program {
    let program = this.shared.programs.get(form);
    if (!program) {
      program = buildProgram(name, this.arithmetic, variant);
      this.shared.programs.set(form, program);
    }
    return program;
  }

  get options(): EngineOptions {
    return this.limits;
  }

  /** From now on work is cut otherwise. */
  limit(options: Partial<EngineOptions>): void {
    this.limits = { ...this.limits, ...options };
  }

  /** The same model on another runtime, with the programs that this engine has built; its kernels are its own. */
  on(runtime: Runtime, options: Partial<EngineOptions> = {}): Engine {
    return new Engine(
      this.model,
      runtime,
      { ...this.limits, ...options },
      sharedBy(this.shared.programs, this.shared.kernels),
    );
  }

  /** The same engine with work cut otherwise: its kernels and counters are this one's, which alone is disposed of. */
  within(options: Partial<EngineOptions>): Engine {
    return new Engine(this.model, this.runtime, { ...this.limits, ...options }, this.shared);
  }

  private async prepare(program: Program, layer: number): Promise<Kernel> {
    if (this.runtime.info.shapesOnly) return this.open(program);
    const started = performance.now();
    const constants: Record<string, Constant> = {};
    for (const { attributes } of program.parameters)
      constants[attributes.name] = this.precise(await parameterValue(attributes.name, this.model, layer));
    const kernel = await this.open(program, constants);
    this.counters.preparingSeconds += (performance.now() - started) / 1000;
    return kernel;
  }

  /** Prepares a program that is none of this room's; its runs are counted, and the caller disposes of it. */
  async open(program: Program, constants?: Readonly<Record<string, Constant>>): Promise<Kernel> {
    return counted(await this.runtime.prepare(program, constants), this.counters);
  }

  /** Values as the runtime's floats hold them. */
  precise(values: Float32Array | Float64Array): Float32Array | Float64Array {
    return this.runtime.info.precision === 'float64' || values instanceof Float32Array
      ? values
      : Float32Array.from(values);
  }

  /** Gives back the kernels; the model and the runtime belong to the caller. */
  async dispose(): Promise<void> {
    const kernels = await Promise.all(this.shared.kernels.values());
    this.shared.kernels.clear();
    for (const kernel of kernels) await kernel.dispose();
  }
}

export interface KernelCall<Name extends KernelName> {
  readonly name: Name;
  readonly layer?: number;
  readonly variant?: Variant<Name>;
  readonly inputs: Tensors;
  readonly wanted?: readonly string[];
}

const sharedBy = (programs: Shared['programs'], ready: Shared['ready']): Shared => ({
  programs,
  kernels: new Map(),
  counters: noCounts(),
  ready,
});

function readBy(program: Program, inputs: Tensors): Tensors {
  const names = program.inputs.map(({ attributes }) => attributes.name).filter((name) => name in inputs);
  return Object.fromEntries(names.map((name) => [name, inputs[name] as Tensors[string]]));
}
