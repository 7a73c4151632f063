import type { Tensor, Tensors } from '../../runtime/types.js';
import { Arena } from './arena.js';
import type { Engine } from './engine.js';

/** The positions that are recomputed, start … length-1, and the small tensors the programs need for them. */
export interface Span {
  readonly start: number;
  readonly length: number;
  /** length − start */
  readonly count: number;
  readonly prefix: boolean;
  readonly positions: Tensor;
  /** `positions`, and the prefix's where there is one */
  readonly lookup: Tensors;
  /** a layer's attention mask [pos, keys], where the attention is causal; layers of one kind share theirs */
  mask(layer: number): Tensors;
  /** rotary tables [pos, dims/2], where the model has them */
  readonly rotary: Tensors;
  /** positions of all keys [keys] */
  readonly keys: Tensor;
  dispose(): void;
}

/** Large enough to vanish in a float32 softmax, small enough to add to a score without overflow. */
const MASKED = -1e9;

export function makeSpan(engine: Engine, start: number, length: number): Span {
  const { config } = engine.model;
  const { runtime } = engine;
  const arena = new Arena();
  const count = length - start;
  const ints = (from: number, to: number): Tensor =>
    arena.own(
      runtime.tensor(
        Int32Array.from({ length: to - from }, (_, i) => from + i),
        [to - from],
        'int',
      ),
    );
  const positions = ints(start, length);
  return {
    start,
    length,
    count,
    prefix: start > 0,
    positions,
    lookup: { positions, ...(start > 0 ? { 'prefix.positions': ints(0, start) } : {}) },
    mask: config.attention === 'causal' ? masks(engine, arena, { start, length }) : () => ({}),
    rotary: config.rotary === null ? {} : arena.own(rotaryTables(engine, start, length)),
    keys: ints(0, length),
    dispose: () => arena.dispose(),
  };
}

/** One mask for each window that layers have. */
function masks(engine: Engine, arena: Arena, of: { start: number; length: number }): Span['mask'] {
  const { nLayers, windows = [] } = engine.model.config;
  const window = (layer: number): number => windows[layer] ?? Infinity;
  const made = new Map<number, Tensors>();
  for (let layer = 0; layer < nLayers; layer++)
    if (!made.has(window(layer)))
      made.set(window(layer), { mask: arena.own(causalMask(engine, { ...of, window: window(layer) })) });
  return (layer) => made.get(window(layer)) as Tensors;
}

/** [pos, keys]: a query sees the keys up to its own position, the last `window` of them. */
function causalMask(engine: Engine, of: { start: number; length: number; window: number }): Tensor {
  const { start, length, window } = of;
  const count = length - start;
  const mask = new Float32Array(count * length);
  for (let i = 0; i < count; i++) {
    const row = i * length;
    mask.fill(MASKED, row + start + i + 1, row + length);
    mask.fill(MASKED, row, row + Math.max(0, start + i + 1 - window));
  }
  return engine.runtime.tensor(mask, [count, length]);
}

/** cos and sin of position · base^(−2i / dims) (Su et al. 2104.09864). */
function rotaryTables(engine: Engine, start: number, length: number): Tensors {
  const { base, dims } = engine.model.config.rotary as { base: number; dims: number };
  const half = dims / 2;
  const angle = (pos: number, i: number): number => pos * base ** (-i / half);
  const table = (of: (x: number) => number): Tensor => {
    const values = Float64Array.from({ length: (length - start) * half }, (_, at) =>
      of(angle(start + Math.floor(at / half), at % half)),
    );
    const precise = engine.runtime.info.precision === 'float64' ? values : Float32Array.from(values);
    return engine.runtime.tensor(precise, [length - start, half]);
  };
  return { 'rotary.cos': table(Math.cos), 'rotary.sin': table(Math.sin) };
}
