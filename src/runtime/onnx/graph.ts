import type { Shape } from '../../program/index.js';
import {
  externalTensor,
  inlineTensor,
  int,
  node,
  DATA_TYPE,
  type Attribute,
  type ConstantData,
  type ElementType,
  type NodeProto,
  type TensorProto,
} from './proto.js';

/** A vector of sizes that depends on named dims: evaluated and fed at each run. */
export interface FedShape {
  readonly name: string;
  readonly dims: Shape;
}

/** Constants from this size on are handed over beside the model, so that they are not copied through its bytes. */
const EXTERNAL_FROM_BYTES = 1024;

/** An ONNX graph under construction; the lowerings add to it. Names returned are names of ONNX values. */
export class Graph {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly external: { path: string; data: Uint8Array }[] = [];
  readonly fedShapes: FedShape[] = [];
  private readonly shared = new Map<string, string>();
  /** float 0/1 value → the boolean it was cast from */
  private readonly booleans = new Map<string, string>();
  private count = 0;

  node(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    const output = this.fresh();
    this.nodes.push(node(op, { inputs, output, attributes }));
    return output;
  }

  constant(dims: readonly number[], data: ConstantData): string {
    const name = this.fresh();
    if (data.byteLength < EXTERNAL_FROM_BYTES) this.initializers.push(inlineTensor(name, dims, data));
    else {
      this.initializers.push(externalTensor(name, dims, data));
      this.external.push({ path: name, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) });
    }
    return name;
  }

  scalar(value: number): string {
    return this.once(`scalar ${Object.is(value, -0) ? '-0' : value}`, () => this.constant([], Float32Array.of(value)));
  }

  /** An int64 vector of plain numbers. */
  integers(values: readonly number[]): string {
    return this.once(`integers ${values.join()}`, () =>
      this.constant([values.length], BigInt64Array.from(values, BigInt)),
    );
  }

  /** An int64 vector of sizes; where it holds named dims it becomes one more input of the session. */
  sizes(dims: Shape): string {
    if (dims.every((dim) => typeof dim === 'number')) return this.integers(dims);
    return this.once(`sizes ${dims.join()}`, () => {
      const name = this.fresh();
      this.fedShapes.push({ name, dims });
      return name;
    });
  }

  cast(name: string, type: ElementType): string {
    return this.once(`cast ${name} ${type}`, () => this.node('Cast', [name], { to: int(DATA_TYPE[type]) }));
  }

  /** A boolean as the 0/1 float that programs know. */
  fromBoolean(name: string): string {
    const value = this.cast(name, 'float');
    this.booleans.set(value, name);
    return value;
  }

  toBoolean(name: string): string {
    return this.booleans.get(name) ?? this.cast(name, 'bool');
  }

  fresh(): string {
    return `v${this.count++}`;
  }

  private once(key: string, make: () => string): string {
    const known = this.shared.get(key);
    if (known !== undefined) return known;
    const name = make();
    this.shared.set(key, name);
    return name;
  }
}
