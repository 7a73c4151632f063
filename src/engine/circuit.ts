/**
 * Questions about circuits: every edge outside the circuit reads its sender's alternative, all at once.
 *
 *     x_r = alternative stream at r + Σ over kept edges s→r of (out_s − alt_s)
 *
 * so only the senders whose output differs from their alternative have to be computed and kept. Where the alternatives are one
 * run of the model, those are the nodes with a path of kept edges from the input; of these, only the ones with a path to the
 * logits matter.
 */
import type { Universe } from '../circuit/types.js';
import type { Tensor, Tensors } from '../runtime/types.js';
import { Arena } from './arena.js';
import { pieces, planChunks } from './chunks.js';
import type { Engine } from './engine.js';
import { feedForward } from './layers.js';
import { at, clampStart, floats, ints, mlpInputOf, type Setting } from './setting.js';
import { makeSpan, type Span } from './span.js';

type Keep = Uint8Array | Float32Array;

/** The metric [questions][examples] of each circuit. */
export async function answerCircuits(setting: Setting, circuits: readonly Keep[]): Promise<Float64Array[]> {
  const { engine, batch } = setting;
  const span = makeSpan(engine, clampStart(setting, setting.alternative.firstChange), batch.length);
  const examples = batch.examples.length;
  const { senders } = engine.universe;
  const { dModel, nHeads } = engine.model.config;
  const bytesPerToken = 4 * dModel * (2 * senders.length + 9 * nHeads);
  const plan = planChunks(engine, { of: 'circuits', total: circuits.length, tokensEach: examples * span.count, bytesPerToken });
  const answers: Float64Array[] = [];
  try {
    for (const chunk of pieces(circuits, plan.perChunk)) {
      const values = await new CircuitRun(setting, span, chunk).metric();
      for (let i = 0; i < chunk.length; i++) answers.push(values.slice(i * examples, (i + 1) * examples));
    }
  } finally {
    span.dispose();
  }
  return answers;
}

/** One pass for a chunk of circuits. */
class CircuitRun {
  private readonly engine: Engine;
  private readonly universe: Universe;
  private readonly active: Uint8Array;
  private readonly arena = new Arena();
  /** senders in the store, in its order */
  private readonly stored: number[] = [0];

  constructor(
    private readonly setting: Setting,
    private readonly span: Span,
    private readonly circuits: readonly Keep[],
  ) {
    this.engine = setting.engine;
    this.universe = setting.engine.universe;
    this.active = activeSenders(this.universe, circuits, setting.alternative.isRun);
  }

  async metric(): Promise<Float64Array> {
    const { base, alternative, engine } = this.setting;
    const { arena } = this;
    try {
      const ones = floats(this.setting, arena, { values: new Float32Array(this.circuits.length).fill(1), shape: [this.circuits.length, 1, 1, 1] });
      const inputs = { now: at(base.pre, 0), alt: at(alternative.pre, 0), ones, positions: this.span.positions };
      let store = arena.own((await engine.run({ name: 'circuitStart', inputs }))['store'] as Tensor);
      for (let layer = 0; layer < engine.model.config.nLayers; layer++) {
        store = await this.heads(layer, store);
        store = await this.mlp(layer, store);
      }
      const final = await this.readerStream({ store, alt: alternative.final, reader: this.universe.readers.length - 1 });
      return await this.setting.judge.value(final, this.span);
    } finally {
      arena.dispose();
    }
  }

  private async heads(layer: number, store: Tensor): Promise<Tensor> {
    const { engine, span, setting, arena } = this;
    const { nHeads } = engine.model.config;
    const first = 1 + layer * perLayer(this.universe);
    const heads = Array.from({ length: nHeads }, (_, h) => h).filter((h) => this.active[first + h] === 1);
    if (heads.length === 0) return store;
    const roles = [0, 1, 2].flatMap((role) => heads.map((head) => role * nHeads + head));
    const firstReader = layer * readersPerLayer(this.universe);
    const cached = at(setting.base.heads, layer);
    const inputs: Tensors = {
      store,
      'mask.readers': this.mask(roles.map((role) => firstReader + role)),
      alt: at(setting.alternative.pre, layer),
      'z.alt': at(setting.alternative.z, layer),
      role: ints(setting, arena, roles),
      head: ints(setting, arena, heads),
      positions: span.positions,
      ...span.mask,
      ...span.rotary,
      ...(span.prefix ? { k: cached.k, v: cached.v, 'prefix.positions': span.lookup['prefix.positions'] as Tensor } : {}),
    };
    const result = await engine.run({ name: 'circuitHeads', layer, variant: { prefix: span.prefix }, inputs });
    this.stored.push(...heads.map((head) => first + head));
    this.count(heads.length / nHeads / 3);
    return this.replace(store, result['store'] as Tensor);
  }

  private async mlp(layer: number, store: Tensor): Promise<Tensor> {
    const { engine, setting, arena } = this;
    const { nHeads, dMlp } = engine.model.config;
    const sender = 1 + layer * perLayer(this.universe) + nHeads;
    if (dMlp === 0 || this.active[sender] !== 1) return store;
    const reader = layer * readersPerLayer(this.universe) + 3 * nHeads;
    const x = await this.readerStream({ store, alt: mlpInputOf(engine, setting.alternative, layer), reader });
    const { m } = arena.own(await feedForward({ engine, layer }, { x, onto: x }, ['m']));
    const inputs = { store, m: m as Tensor, alt: at(setting.alternative.m, layer), positions: this.span.positions };
    const result = await engine.run({ name: 'circuitAppend', inputs });
    arena.free(x, m);
    this.stored.push(sender);
    this.count(2 / 3);
    return this.replace(store, result['store'] as Tensor);
  }

  private async readerStream(of: { store: Tensor; alt: Tensor; reader: number }): Promise<Tensor> {
    const inputs = { store: of.store, alt: of.alt, mask: this.mask([of.reader]), positions: this.span.positions };
    return this.arena.own((await this.engine.run({ name: 'circuitStream', inputs }))['x'] as Tensor);
  }

  /** How much of each stored sender each reader keeps: [questions, readers, senders stored]. */
  private mask(readers: readonly number[]): Tensor {
    const { universe, stored, circuits } = this;
    const values = new Float32Array(circuits.length * readers.length * stored.length);
    let i = 0;
    for (const keep of circuits)
      for (const reader of readers)
        for (const sender of stored) {
          const edge = universe.edgeBetween(sender, reader);
          values[i++] = edge < 0 ? 0 : (keep[edge] as number);
        }
    return floats(this.setting, this.arena, { values, shape: [circuits.length, readers.length, stored.length] });
  }

  private replace(old: Tensor, next: Tensor): Tensor {
    this.arena.free(old);
    return this.arena.own(next);
  }

  /** Share of a layer's work done, in tokens through the whole model. */
  private count(share: number): void {
    const tokens = this.circuits.length * this.setting.batch.examples.length * this.span.count;
    this.engine.counters.layerTokens += (share * tokens) / this.engine.model.config.nLayers;
  }
}

const perLayer = ({ shape }: Universe): number => shape.nHeads + (shape.hasMlp ? 1 : 0);
const readersPerLayer = ({ shape }: Universe): number => 3 * shape.nHeads + (shape.hasMlp ? 1 : 0);

/**
 * The senders that have to be computed: those that can differ from their alternative in some circuit (with a made-up
 * alternative: all, since a node with no input kept still computes something) and whose output can reach the logits.
 */
function activeSenders(universe: Universe, circuits: readonly Keep[], isRun: boolean): Uint8Array {
  const { edgeSender, edgeReader, edgeCount, readers } = universe;
  const senderOfReader = readers.map((reader) => (reader.kind === 'logits' ? -1 : (universe.senderIndex(nodeName(reader)) as number)));
  const kept = (edge: number): boolean => circuits.some((keep) => keep[edge] !== 0);
  const differs = new Uint8Array(universe.senders.length).fill(isRun ? 0 : 1);
  differs[0] = 1;
  // edges are ordered by their reader's layer, so one sweep up and one down settle both questions
  if (isRun)
    for (let edge = 0; edge < edgeCount; edge++) {
      const node = senderOfReader[edgeReader[edge] as number] as number;
      if (node >= 0 && differs[node] === 0 && differs[edgeSender[edge] as number] === 1 && kept(edge)) differs[node] = 1;
    }
  const matters = new Uint8Array(universe.senders.length);
  for (let edge = edgeCount - 1; edge >= 0; edge--) {
    const node = senderOfReader[edgeReader[edge] as number] as number;
    if ((node < 0 || matters[node] === 1) && kept(edge)) matters[edgeSender[edge] as number] = 1;
  }
  return differs.map((one, sender) => one & (matters[sender] as number));
}

const nodeName = (reader: Universe['readers'][number]): string => (reader.head < 0 ? `m${reader.layer}` : `a${reader.layer}.h${reader.head}`);
