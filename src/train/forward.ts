/**
 * The forward pass of a model in training, put together from the model's own blocks: the arithmetic that is trained is the
 * arithmetic that is studied. Named dims: `batch`, `pos`.
 */
import {
  maskName,
  mlpReads,
  attentionOutput,
  attentionPattern,
  mlp,
  projectHeads,
  unembed,
  type Arithmetic,
} from '../model/blocks.js';
import type { ModelConfig } from '../model/types.js';
import * as p from '../program/index.js';
import type { Shape, Value } from '../program/index.js';
import type { Constant } from '../runtime/types.js';

/** What is trained: a config, and which optional weights the model has. */
export interface Blueprint extends Arithmetic {
  /** the unembedding is the transposed embedding */
  readonly tied: boolean;
}

/** A weight of the model in training: `embed`, `positions`, or a parameter of `blocks.ts`, with `{layer}.` in front in a layer. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface Forward {
  /** [batch, pos, dVocabOut] */
  readonly logits: Value;
  /** per layer [batch, heads, query, key] */
  readonly patterns: readonly Value[];
}

export interface ForwardInputs {
  /** int [batch, pos] */
  readonly tokens: Value;
  /** by the names of {@link weightSpecs} */
  readonly weights: ReadonlyMap<string, Value>;
  /** [nLayers, nHeads]: what each head's output is multiplied with (0 = ablated); absent: 1 */
  readonly headScale?: Value;
}

const ROWS = 'batch*pos';

/** All tokens of a batch as the rows of one matrix: products with weights are then plain matrix products, backwards too. */
const asRows = (width: number): Shape => [1, 1, ROWS, width];

/** Expressions over parameters of `blocks.ts`, to be filled in for each layer. */
interface Part {
  readonly weights: readonly WeightSpec[];
  /** The expressions with every leaf replaced by the value that `fill` has for its name. */
  fill(leaf: (name: string) => Value): readonly Value[];
}

function part(expressions: readonly Value[]): Part {
  const { outputs, parameters, inputs } = p.makeProgram(
    'part',
    Object.fromEntries(expressions.map((one, i) => [i, one])),
  );
  return {
    weights: parameters.map(({ attributes, shape }) => ({ name: attributes.name, shape: shape as readonly number[] })),
    fill: (leaf) =>
      p.substitute(
        Object.values(outputs),
        new Map([...parameters, ...inputs].map((value) => [value, leaf(value.attributes.name)])),
      ),
  };
}

/** residual → [residual after the block, pattern] */
function blockPart(blueprint: Blueprint, scaled: boolean): Part {
  const { config } = blueprint;
  const { dModel, nHeads, dHead } = config;
  const residual = p.input('residual', asRows(dModel));
  const bySequence = (x: Value): Value =>
    p.transpose(p.reshape(x, [1, nHeads, 'batch', 'pos', dHead]), [0, 2, 1, 3, 4]); // [1, batch, heads, pos, dHead]
  const byRow = (x: Value): Value => p.reshape(p.transpose(x, [0, 2, 1, 3, 4]), [1, 1, nHeads, ROWS, dHead]);
  const { q, k, v } = projectHeads(residual, blueprint); // [1, 1, heads, batch*pos, dHead]
  const pattern = attentionPattern(bySequence(q), bySequence(k), blueprint); // [1, batch, heads, query, key]
  const z = p.matmul(pattern, bySequence(v)); // [1, batch, heads, pos, dHead]
  const counted = scaled ? p.mul(z, p.input('headScale', [nHeads, 1, 1])) : z;
  const middle = p.add(residual, attentionOutput(byRow(counted), blueprint));
  const reads = mlpReads(config);
  if (reads === null) return part([middle, pattern]);
  const { output } = mlp(reads === 'pre' ? residual : middle, blueprint);
  return part([p.add(middle, output), pattern]);
}

const unembedPart = (blueprint: Blueprint): Part =>
  part([unembed(p.input('residual', asRows(blueprint.config.dModel)), blueprint)]);

const TIED = 'unembed.weight';
const hasPositions = ({ config }: Blueprint): boolean => config.positional === 'learned';

/** Every weight that is trained, in order. */
export function weightSpecs(blueprint: Blueprint): WeightSpec[] {
  const { config, tied } = blueprint;
  const block = blockPart(blueprint, false).weights;
  const layers = Array.from({ length: config.nLayers }, (_, layer) =>
    block.map(({ name, shape }) => ({ name: `${layer}.${name}`, shape })),
  );
  return [
    { name: 'embed', shape: [config.dVocab, config.dModel] },
    ...(hasPositions(blueprint) ? [{ name: 'positions', shape: [config.nCtx, config.dModel] }] : []),
    ...layers.flat(),
    ...unembedPart(blueprint).weights.filter(({ name }) => !(tied && name === TIED)),
  ];
}

export function forward(blueprint: Blueprint, { tokens, weights, headScale }: ForwardInputs): Forward {
  const { config, tied } = blueprint;
  const { dModel, nHeads, nLayers } = config;
  const leafOf =
    (inputs: Readonly<Record<string, Value | undefined>>, prefix = '') =>
    (name: string): Value => {
      const value = inputs[name] ?? weights.get(`${prefix}${name}`);
      if (!value) throw new Error(`train/forward: nothing is called ${prefix}${name}`);
      return value;
    };
  const weight = leafOf({});
  const looked = p.gather(weight('embed'), tokens, 0); // [batch, pos, d]
  const embedded = config.embeddingScale === undefined ? looked : p.mul(looked, config.embeddingScale);
  const placed = hasPositions(blueprint) ? p.add(embedded, p.slice(weight('positions'), 0, [0, 'pos'])) : embedded;
  let residual = p.reshape(placed, asRows(dModel));
  const block = blockPart(blueprint, headScale !== undefined);
  const patterns: Value[] = [];
  for (let layer = 0; layer < nLayers; layer++) {
    const scale = headScale && p.reshape(p.slice(headScale, 0, [layer, layer + 1]), [nHeads, 1, 1]);
    const [out, pattern] = block.fill(
      leafOf({ ...tables(config, layer), residual, headScale: scale }, `${layer}.`),
    ) as [Value, Value];
    residual = out;
    patterns.push(p.reshape(pattern, ['batch', nHeads, 'pos', 'pos']));
  }
  const unembedding = tied ? p.swapLast(weight('embed')) : undefined;
  const [logits] = unembedPart(blueprint).fill(leafOf({ residual, [TIED]: unembedding })) as [Value];
  return { logits: p.reshape(logits, ['batch', 'pos', config.dVocabOut]), patterns };
}

const MASKED = -1e9;

/** The blocks' inputs that are the same for every batch, cut to its length. */
function tables(config: ModelConfig, layer: number): Record<string, Value> {
  const { nCtx, rotary } = config;
  const mask = p.parameter(maskName(config, layer), [nCtx, nCtx]);
  const half = (rotary?.dims ?? 0) / 2;
  const angles = (name: string): Value => {
    const each = p.slice(p.parameter(name, [nCtx, half]), 0, [0, 'pos']);
    return p.reshape(p.broadcast(each, ['batch', 'pos', half]), [ROWS, half]);
  };
  return {
    mask: p.slice(p.slice(mask, 0, [0, 'pos']), 1, [0, 'pos']),
    ...(rotary ? { 'rotary.cos': angles('rotary.cos'), 'rotary.sin': angles('rotary.sin') } : {}),
  };
}

/** [query, key]: a query sees the keys up to its own position, the last `window` of them. */
const maskOf = (nCtx: number, window: number): Float32Array =>
  Float32Array.from({ length: nCtx * nCtx }, (_, i) => {
    const [query, key] = [Math.floor(i / nCtx), i % nCtx];
    return key > query || query - key >= window ? MASKED : 0;
  });

/** The values of these tables, given when a program is prepared. */
export function tableValues(config: ModelConfig): Record<string, Constant> {
  const { nCtx, rotary, nLayers, windows = [] } = config;
  const layers = Array.from({ length: nLayers }, (_, layer) => layer);
  const masks = Object.fromEntries(
    layers.map((layer) => [maskName(config, layer), maskOf(nCtx, windows[layer] ?? Infinity)]),
  );
  if (!rotary) return masks;
  const half = rotary.dims / 2;
  const angle = (i: number): number => Math.floor(i / half) / rotary.base ** ((i % half) / half);
  const angles = (of: (angle: number) => number): Float32Array =>
    Float32Array.from({ length: nCtx * half }, (_, i) => of(angle(i)));
  return { ...masks, 'rotary.cos': angles(Math.cos), 'rotary.sin': angles(Math.sin) };
}
