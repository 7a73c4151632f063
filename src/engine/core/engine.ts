import { totalmem } from 'node:os';
import { makeUniverse } from '../../circuit/universe.js';
import type { Universe } from '../../circuit/types.js';
import type { Arithmetic } from '../../model/blocks.js';
import { arithmeticOf, parameterValue } from '../../model/parameters.js';
import type { Model } from '../../model/types.js';
import type { Program } from '../../program/index.js';
import type { Kernel, Runtime, Tensors } from '../../runtime/types.js';
import { buildProgram, type KernelName, type Variant } from '../kernels/index.js';

export interface EngineOptions {
  /** ceiling for what the engine holds beside the weights, in bytes; default a quarter of the machine's memory, at most 4 GiB */
  readonly memoryBytes: number;
  /** tokens (questions × examples × positions) per kernel call where memory allows: where matrix products run fastest */
  readonly chunkTokens: number;
}

const DEFAULTS: EngineOptions = { memoryBytes: Math.min(4 * 2 ** 30, totalmem() / 4), chunkTokens: 1024 };

/** What has been computed, for the record and for tests of cost. */
export interface Counters {
  /** tokens that went through one layer, divided by the layers: in units of tokens through the whole model */
  layerTokens: number;
  kernelRuns: number;
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
  private limits: EngineOptions;
  readonly counters: Counters = { layerTokens: 0, kernelRuns: 0 };
  private readonly kernels = new Map<string, Promise<Kernel>>();

  constructor(
    readonly model: Model,
    readonly runtime: Runtime,
    options: Partial<EngineOptions> = {},
    private readonly programs = new Map<string, Program>(),
  ) {
    const { config } = model;
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
    this.counters.kernelRuns++;
    return kernel.run(readBy(kernel.program, call.inputs), call.wanted);
  }

  private kernel<Name extends KernelName>({ name, layer = 0, variant }: KernelCall<Name>): Promise<Kernel> {
    const form = `${name}${variant === undefined ? '' : JSON.stringify(variant)}`;
    const program = this.program(form, name, variant as Variant<Name>);
    const key = program.parameters.length === 0 ? form : `${form}@${layer}`;
    const known = this.kernels.get(key);
    if (known) return known;
    const made = this.prepare(program, layer);
    this.kernels.set(key, made);
    return made;
  }

  private program<Name extends KernelName>(form: string, name: Name, variant: Variant<Name>): Program {
    let program = this.programs.get(form);
    if (!program) {
      program = buildProgram(name, this.arithmetic, variant);
      this.programs.set(form, program);
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
    return new Engine(this.model, runtime, { ...this.options, ...options }, this.programs);
  }

  private async prepare(program: Program, layer: number): Promise<Kernel> {
    if (this.runtime.info.shapesOnly) return this.runtime.prepare(program);
    const constants: Record<string, Float32Array | Float64Array> = {};
    for (const { attributes } of program.parameters)
      constants[attributes.name] = this.precise(await parameterValue(attributes.name, this.model, layer));
    return this.runtime.prepare(program, constants);
  }

  /** Values as the runtime's floats hold them. */
  precise(values: Float32Array | Float64Array): Float32Array | Float64Array {
    return this.runtime.info.precision === 'float64' || values instanceof Float32Array
      ? values
      : Float32Array.from(values);
  }

  /** Gives back the kernels; the model and the runtime belong to the caller. */
  async dispose(): Promise<void> {
    const kernels = await Promise.all(this.kernels.values());
    this.kernels.clear();
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

function readBy(program: Program, inputs: Tensors): Tensors {
  const names = program.inputs.map(({ attributes }) => attributes.name).filter((name) => name in inputs);
  return Object.fromEntries(names.map((name) => [name, inputs[name] as Tensors[string]]));
}
