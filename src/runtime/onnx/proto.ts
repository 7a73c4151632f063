/** The few ONNX messages a program needs, as plain calls. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from 'onnx-buf';
import type { Dim, Shape } from '../../program/index.js';

export type { NodeProto, TensorProto };

export const DATA_TYPE = {
  float: TensorProto_DataType.FLOAT,
  int: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
  bool: TensorProto_DataType.BOOL,
} as const;
export type ElementType = keyof typeof DATA_TYPE;

/** Layer normalisation, Gelu and Pad's axes are all in by 20; IR version 10 goes with it. */
const OPSET = 20n;
const IR_VERSION = 10n;

export type Attribute = Omit<AttributeProto, 'name'>;

export const int = (value: number): Attribute => create(AttributeProtoSchema, { type: Kind.INT, i: BigInt(value) });
export const ints = (values: readonly number[]): Attribute =>
  create(AttributeProtoSchema, { type: Kind.INTS, ints: values.map(BigInt) });
export const float = (value: number): Attribute => create(AttributeProtoSchema, { type: Kind.FLOAT, f: value });
export const text = (value: string): Attribute =>
  create(AttributeProtoSchema, { type: Kind.STRING, s: new TextEncoder().encode(value) });

export interface NodeParts {
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export const node = (opType: string, { inputs, output, attributes }: NodeParts): NodeProto =>
  create(NodeProtoSchema, {
    opType,
    input: [...inputs],
    output: [output],
    attribute: Object.entries(attributes).map(([name, attribute]) => ({ ...attribute, name })),
  });

const bytes = (data: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** A constant that lies inside the model. */
export const inlineTensor = (name: string, dims: readonly number[], data: ConstantData): TensorProto =>
  create(TensorProtoSchema, { name, dims: dims.map(BigInt), dataType: dataType(data), rawData: bytes(data) });

/** A constant whose values are handed to the session beside the model, under `location`. */
export const externalTensor = (name: string, dims: readonly number[], data: ConstantData): TensorProto =>
  create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    dataType: dataType(data),
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [create(StringStringEntryProtoSchema, { key: 'location', value: name })],
  });

export type ConstantData = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>;

const dataType = (data: ConstantData): TensorProto_DataType =>
  data instanceof Float32Array ? DATA_TYPE.float : data instanceof Int32Array ? DATA_TYPE.int : DATA_TYPE.int64;

const dimension = (dim: Dim): { value: { case: 'dimValue'; value: bigint } | { case: 'dimParam'; value: string } } =>
  typeof dim === 'number'
    ? { value: { case: 'dimValue', value: BigInt(dim) } }
    : { value: { case: 'dimParam', value: dim } };

export const valueInfo = (name: string, type: ElementType, shape: Shape): ValueInfoProto =>
  create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: { elemType: DATA_TYPE[type], shape: { dim: shape.map(dimension) } },
      },
    },
  });

export interface GraphParts {
  readonly name: string;
  readonly node: NodeProto[];
  readonly initializer: TensorProto[];
  readonly input: ValueInfoProto[];
  readonly output: ValueInfoProto[];
  readonly valueInfo: ValueInfoProto[];
}

export function encodeModel(parts: GraphParts): Uint8Array {
  const graph: GraphProto = create(GraphProtoSchema, parts);
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'thevenin',
    opsetImport: [{ domain: '', version: OPSET }],
    graph,
  });
  return toBinary(ModelProtoSchema, model);
}
