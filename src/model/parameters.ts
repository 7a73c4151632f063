/** The values of the blocks' parameters, made from a model's weights when a kernel is prepared and released after. */
import { normAt, type Arithmetic, type NormName } from './blocks.js';
import type { ModelConfig, Weights } from './types.js';

/** How one parameter is made. `layer` is ignored by those of the embedding and the unembedding. */
type Recipe = (weights: Weights, config: ModelConfig, layer: number) => Promise<Float32Array | Float64Array>;
type StoredRecipe = (...given: Parameters<Recipe>) => Promise<Float32Array>;

export function arithmeticOf(config: ModelConfig, weights: Weights): Arithmetic {
  const some = (suffix: string): boolean =>
    Array.from({ length: config.nLayers }, (_, l) => `blocks.${l}.${suffix}`).some((name) => weights.shapes.has(name));
  const has = {
    qkvBias: some('attn.b_Q') || some('attn.b_K') || some('attn.b_V'),
    oBias: some('attn.b_O'),
    inBias: some('mlp.b_in'),
    outBias: some('mlp.b_out'),
    unembedBias: weights.shapes.has('unembed.b_U'),
  };
  return { config, has };
}

/** The value of a parameter of `blocks.ts` for one layer. */
export function parameterValue(
  name: string,
  model: { weights: Weights; config: ModelConfig },
  layer: number,
): Promise<Float32Array | Float64Array> {
  const recipe = RECIPES[name];
  if (!recipe) throw new Error(`model/parameters: no recipe for ${name}`);
  return recipe(model.weights, model.config, layer);
}

const filled = (size: number, value: number): Float32Array => new Float32Array(size).fill(value);

async function optional(weights: Weights, name: string, otherwise: () => Float32Array): Promise<Float32Array> {
  return weights.shapes.has(name) ? weights.read(name) : otherwise();
}

const normWeight =
  (prefix: (layer: number) => string): Recipe =>
  async (weights, { dModel, normOffset = 0 }, layer) => {
    const name = `${prefix(layer)}.w`;
    if (!weights.shapes.has(name)) return filled(dModel, 1);
    const stored = await weights.read(name);
    return normOffset === 0 ? stored : Float64Array.from(stored, (x) => x + normOffset); // not rounded to float32
  };

const normBias =
  (prefix: (layer: number) => string): StoredRecipe =>
  (weights, { dModel }, layer) =>
    optional(weights, `${prefix(layer)}.b`, () => filled(dModel, 0));

const normRecipes = (name: NormName, prefix: (layer: number) => string): Record<string, Recipe> => ({
  [`${name}.weight`]: normWeight(prefix),
  [`${name}.bias`]: normBias(prefix),
});

const layerTensor =
  (name: string): Recipe =>
  (weights, _, layer) =>
    weights.read(`blocks.${layer}.${name}`);

const layerBias =
  (name: string, size: (config: ModelConfig) => number): Recipe =>
  (weights, config, layer) =>
    optional(weights, `blocks.${layer}.${name}`, () => filled(size(config), 0));

const ROLES = ['Q', 'K', 'V'] as const;
const headsOf = (role: 'Q' | 'K' | 'V', config: ModelConfig): number =>
  role === 'Q' ? config.nHeads : config.nKeyValueHeads;

/**
 * Column `i` of a head as the programs want it. Where the checkpoint rotates adjacent pairs (0,1),(2,3)…, queries and keys are
 * reordered so that pairs are (i, i + dims/2): scores q·k do not change.
 */
function storedColumn(i: number, role: 'Q' | 'K' | 'V', config: ModelConfig): number {
  const rotary = config.rotary;
  if (!rotary?.adjacentPairs || role === 'V' || i >= rotary.dims) return i;
  const half = rotary.dims / 2;
  return i < half ? 2 * i : 2 * (i - half) + 1;
}

/** One projection of a layer, [heads, d, dHead], its columns in the programs' order. */
async function projection(
  weights: Weights,
  config: ModelConfig,
  at: { layer: number; role: 'Q' | 'K' | 'V' },
): Promise<Float32Array> {
  const stored = await weights.read(`blocks.${at.layer}.attn.W_${at.role}`);
  if (!config.rotary?.adjacentPairs || at.role === 'V') return stored;
  return reorderColumns(stored, config, at.role);
}

async function projectionBias(
  weights: Weights,
  config: ModelConfig,
  at: { layer: number; role: 'Q' | 'K' | 'V' },
): Promise<Float32Array> {
  const stored = await optional(weights, `blocks.${at.layer}.attn.b_${at.role}`, () =>
    filled(headsOf(at.role, config) * config.dHead, 0),
  );
  return config.rotary?.adjacentPairs ? reorderColumns(stored, config, at.role) : stored;
}

function reorderColumns(stored: Float32Array, config: ModelConfig, role: 'Q' | 'K' | 'V'): Float32Array {
  const { dHead } = config;
  const result = new Float32Array(stored.length);
  for (let row = 0; row < stored.length; row += dHead)
    for (let i = 0; i < dHead; i++) result[row + i] = stored[row + storedColumn(i, role, config)] as number;
  return result;
}

/** [d, (nHeads + 2 nKeyValueHeads) dHead]: all queries, all keys, all values side by side. */
const jointProjection: Recipe = async (weights, config, layer) => {
  const { dModel, dHead } = config;
  const total = (config.nHeads + 2 * config.nKeyValueHeads) * dHead;
  const joint = new Float32Array(dModel * total);
  let first = 0;
  for (const role of ROLES) {
    const stored = await projection(weights, config, { layer, role });
    for (let head = 0; head < headsOf(role, config); head++, first += dHead)
      for (let row = 0; row < dModel; row++) {
        const from = (head * dModel + row) * dHead;
        joint.set(stored.subarray(from, from + dHead), row * total + first);
      }
  }
  return joint;
};

const jointBias: Recipe = async (weights, config, layer) => {
  const parts = await Promise.all(ROLES.map((role) => projectionBias(weights, config, { layer, role })));
  return concatenate(parts);
};

/** [3 nHeads, d, dHead]: q, k, v of every query head, grouped heads copied. */
const projectionByHead: StoredRecipe = async (weights, config, layer) => {
  const size = config.dModel * config.dHead;
  const parts: Float32Array[] = [];
  for (const role of ROLES) {
    const stored = await projection(weights, config, { layer, role });
    parts.push(...copiesByHead(stored, size, { config, role }));
  }
  return concatenate(parts);
};

const biasByHead: StoredRecipe = async (weights, config, layer) => {
  const parts: Float32Array[] = [];
  for (const role of ROLES) {
    const stored = await projectionBias(weights, config, { layer, role });
    parts.push(...copiesByHead(stored, config.dHead, { config, role }));
  }
  return concatenate(parts);
};

function copiesByHead(
  stored: Float32Array,
  size: number,
  of: { config: ModelConfig; role: 'Q' | 'K' | 'V' },
): Float32Array[] {
  const { nHeads } = of.config;
  const group = nHeads / headsOf(of.role, of.config);
  return Array.from({ length: nHeads }, (_, head) => {
    const from = Math.floor(head / group) * size;
    return stored.subarray(from, from + size);
  });
}

/**
 * [3 nHeads, dHead, d]: how the gradient at a head's q, k or v reaches the norm's input: (γ W)ᵀ, and for LayerNorm with each
 * row's mean over d taken out, which is the norm's centring folded into the weights.
 */
const readerGradient: Recipe = async (weights, config, layer) => {
  const { dModel, dHead } = config;
  const forward = await projectionByHead(weights, config, layer);
  const norm = normAt('ln1', config);
  const gain = norm === null ? filled(dModel, 1) : await normWeight((l) => `blocks.${l}.ln1`)(weights, config, layer);
  const result = new Float64Array(forward.length);
  for (let head = 0; head * dModel * dHead < forward.length; head++)
    for (let i = 0; i < dHead; i++) {
      const row = result.subarray((head * dHead + i) * dModel, (head * dHead + i + 1) * dModel);
      for (let j = 0; j < dModel; j++)
        row[j] = (forward[(head * dModel + j) * dHead + i] as number) * (gain[j] as number);
      if (norm === 'LN') centre(row);
    }
  return result;
};

/** [3 nHeads, dHead]: what q, k, v are where the normalised input is zero: bias + Wᵀβ. */
const readerBias: Recipe = async (weights, config, layer) => {
  const { dModel, dHead } = config;
  const bias = Float64Array.from(await biasByHead(weights, config, layer));
  if (normAt('ln1', config) !== 'LN') return bias;
  const forward = await projectionByHead(weights, config, layer);
  const shift = await normBias((l) => `blocks.${l}.ln1`)(weights, config, layer);
  for (let head = 0; head * dHead < bias.length; head++)
    for (let i = 0; i < dHead; i++) {
      let sum = 0;
      for (let j = 0; j < dModel; j++)
        sum += (forward[(head * dModel + j) * dHead + i] as number) * (shift[j] as number);
      bias[head * dHead + i] = (bias[head * dHead + i] as number) + sum;
    }
  return bias;
};

function centre(row: Float64Array): void {
  let sum = 0;
  for (const x of row) sum += x;
  const mean = sum / row.length;
  for (let i = 0; i < row.length; i++) row[i] = (row[i] as number) - mean;
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

const RECIPES: Readonly<Record<string, Recipe>> = {
  ...normRecipes('ln1', (l) => `blocks.${l}.ln1`),
  ...normRecipes('ln1Post', (l) => `blocks.${l}.ln1_post`),
  ...normRecipes('ln2', (l) => `blocks.${l}.ln2`),
  ...normRecipes('ln2Post', (l) => `blocks.${l}.ln2_post`),
  ...normRecipes('lnFinal', () => 'ln_final'),
  'qkv.weight': jointProjection,
  'qkv.bias': jointBias,
  'qkv.byHead': projectionByHead,
  'qkv.byHead.bias': biasByHead,
  'qkv.readerGradient': readerGradient,
  'qkv.readerBias': readerBias,
  'o.weight': layerTensor('attn.W_O'), // [heads, dHead, d] is [heads * dHead, d] as it lies
  'o.byHead': layerTensor('attn.W_O'),
  'o.bias': layerBias('attn.b_O', ({ dModel }) => dModel),
  'mlp.in': layerTensor('mlp.W_in'),
  'mlp.gate': layerTensor('mlp.W_gate'),
  'mlp.in.bias': layerBias('mlp.b_in', ({ dMlp }) => dMlp),
  'mlp.out': layerTensor('mlp.W_out'),
  'mlp.out.bias': layerBias('mlp.b_out', ({ dModel }) => dModel),
  'unembed.weight': (weights) => weights.read('unembed.W_U'),
  'unembed.bias': (weights) => weights.read('unembed.b_U'),
};
