/**
 * Questions about circuits: every edge outside the circuit reads its sender's alternative, all at once.
 *
 *     x_r = alternative stream at r + Σ over kept edges s→r of (out_s − alt_s)
 *
 * so only the senders whose output differs from their alternative have to be computed and kept (`active.ts`), and of these only
 * the queries, keys and values that keep an edge; nodes below the first cut say what they say in the base run. Circuits of a chunk go through the layers together: heads circuit by circuit,
 * since each has readers of its own, MLPs all at once.
 */
import type { Tensor, Tensors } from '../../runtime/types.js';
import { makeCommon, mixedHeads, type Common } from './circuit-common.js';
import { activeSenders, untouchedSenders, type Keep } from './live-senders.js';
import { Arena, withArena } from '../core/arena.js';
import { pieces, planChunks } from '../core/chunks.js';
import type { Engine } from '../core/engine.js';
import { feedForward } from '../model-run/layers.js';
import { at, clampStart, floats, ints, mlpInputOf, type BoundRun } from '../model-run/bound-run.js';
import { makeSpan, type Span } from '../core/span.js';
import { openStack, type RowStack } from '../core/stack.js';

/** The metric [questions][examples] of each circuit. */
export async function answerCircuits(bound: BoundRun, circuits: readonly Keep[]): Promise<Float64Array[]> {
  const { engine, batch } = bound;
  const span = makeSpan(engine, clampStart(bound, bound.alternative.firstChange), batch.length);
  const examples = batch.examples.length;
  const { dModel, nHeads, nLayers } = engine.model.config;
  const bytesPerToken = 4 * dModel * (engine.universe.senders.length + nLayers + 9 * nHeads);
  const tokensEach = examples * span.count;
  const plan = planChunks(engine, { of: 'circuits', total: circuits.length, tokensEach, bytesPerToken });
  const answers: Float64Array[] = [];
  const arena = new Arena();
  try {
    const common = await makeCommon({ bound, span, arena });
    for (const chunk of pieces(circuits, plan.perChunk)) {
      const values = await answerChunk(common, chunk);
      for (let i = 0; i < chunk.length; i++) answers.push(values.slice(i * examples, (i + 1) * examples));
    }
  } finally {
    arena.dispose();
    span.dispose();
  }
  return answers;
}

async function answerChunk(common: Common, circuits: readonly Keep[]): Promise<Float64Array> {
  const { bound, span } = common;
  const { engine, alternative } = bound;
  const runs = circuits.map((keep) => new CircuitRun(common, keep));
  try {
    for (const run of runs) await run.start();
    for (let layer = 0; layer < engine.model.config.nLayers; layer++) {
      for (const run of runs) await run.heads(layer);
      await runMlps(common, runs, layer);
    }
    const logits = engine.universe.readers.length - 1;
    return await withArena(async (arena) =>
      bound.judge.value(await readAll(runs, arena, { reader: logits, alt: alternative.final }), span),
    );
  } finally {
    for (const run of runs) run.dispose();
  }
}

/** The MLP of a layer, in every circuit where it is active. */
async function runMlps(common: Common, all: readonly CircuitRun[], layer: number): Promise<void> {
  const { bound, span } = common;
  const { engine, alternative } = bound;
  const { nHeads, dMlp } = engine.model.config;
  const sender = firstSender(engine, layer) + nHeads;
  const active = all.filter((run) => dMlp > 0 && run.active[sender] === 1);
  const [fixed, runs] = [active.filter((run) => run.untouched[sender]), active.filter((run) => !run.untouched[sender])];
  for (const run of fixed) await run.push(await common.baseMlp(layer), [sender]);
  if (runs.length === 0) return;
  await withArena(async (arena) => {
    const reader = firstReader(engine, layer) + 3 * nHeads;
    const x = await readAll(runs, arena, { reader, alt: mlpInputOf(engine, alternative, layer) });
    const { m } = arena.own(await feedForward({ engine, layer }, { x, onto: x }, ['m']));
    const inputs = { m: m as Tensor, alt: at(alternative.m, layer), positions: span.positions };
    const { change } = arena.own(await engine.run({ name: 'circuitChange', inputs }));
    for (const [i, run] of runs.entries())
      await run.push(arena.own(engine.runtime.rows(change as Tensor, i, i + 1)), [sender]);
  });
  count(bound, span, (runs.length * 2) / 3);
}

/** What one reader reads in each circuit, [questions, examples, pos, d]. */
async function readAll(
  runs: readonly CircuitRun[],
  arena: Arena,
  of: { reader: number; alt: Tensor },
): Promise<Tensor> {
  const [first, ...others] = runs as [CircuitRun, ...CircuitRun[]];
  const x = arena.own(await first.read(of));
  if (others.length === 0) return x;
  const stack = openStack(first.engine, x.shape.slice(1), runs.length);
  try {
    await stack.push(x);
    for (const run of others) await stack.push(arena.own(await run.read(of)));
    return arena.own(stack.all());
  } finally {
    stack.dispose();
  }
}

/** One circuit on its way up: what its active senders say differently. */
class CircuitRun {
  readonly engine: Engine;
  readonly active: Uint8Array;
  readonly untouched: Uint8Array;
  private readonly store: RowStack;
  /** senders in the store, in its order; STEP for a step of the alternative stream */
  private readonly stored: number[] = [];
  /** per layer whose heads' writes are normed, the store's rows that are its heads */
  private readonly normed: { readonly layer: number; readonly from: number; to: number }[] = [];

  constructor(
    private readonly common: Common,
    private readonly keep: Keep,
  ) {
    const { bound, input } = common;
    this.engine = bound.engine;
    this.active = activeSenders(this.engine.universe, keep, bound.alternative.isRun);
    this.untouched = untouchedSenders(this.engine.universe, keep);
    const senders = this.active.reduce((sum, one) => sum + one, 1);
    this.store = openStack(this.engine, input.shape.slice(1), senders + common.steps.length);
  }

  start(): Promise<void> {
    return this.push(this.common.input, [0]);
  }

  async push(rows: Tensor, senders: readonly number[]): Promise<void> {
    await this.store.push(rows);
    this.stored.push(...senders);
  }

  /** The active heads of a layer, each q, k and v with its own input. */
  async heads(layer: number): Promise<void> {
    const { common } = this;
    await this.push(at(common.steps, layer), [STEP]);
    const from = this.stored.length;
    await this.pushHeads(layer);
    if (common.mixes) this.normed.push({ layer, from, to: this.stored.length });
  }

  private async pushHeads(layer: number): Promise<void> {
    const { engine, common } = this;
    const { nHeads } = engine.model.config;
    const first = firstSender(engine, layer);
    const active = Array.from({ length: nHeads }, (_, h) => h).filter((h) => this.active[first + h] === 1);
    for (const run of runsOf(active.filter((h) => this.untouched[first + h]))) await this.pushBase(layer, run);
    const heads = active.filter((h) => !this.untouched[first + h]);
    if (heads.length === 0) return;
    await withArena(async (arena) => {
      const store = arena.own(this.store.all());
      const inputs = { store, ...(await this.headInputs(layer, heads, { store, arena })) };
      const variant = { prefix: common.span.prefix };
      const { change } = arena.own(await engine.run({ name: 'circuitHeads', layer, variant, inputs }));
      await this.push(
        change as Tensor,
        heads.map((head) => first + head),
      );
    });
    count(common.bound, common.span, heads.length / nHeads / 3);
  }

  /** Neighbouring heads, as in the base run. */
  private async pushBase(layer: number, heads: readonly number[]): Promise<void> {
    const { engine } = this;
    const [from, first] = [heads[0] as number, firstSender(engine, layer)];
    const all = await this.common.baseHeads(layer);
    const rows = engine.runtime.rows(all, from, from + heads.length);
    await this.push(
      rows,
      heads.map((head) => first + head),
    );
    rows.dispose();
  }

  private async headInputs(
    layer: number,
    heads: readonly number[],
    { store, arena }: { store: Tensor; arena: Arena },
  ): Promise<Tensors> {
    const { bound, span } = this.common;
    const { base, alternative } = bound;
    const { nHeads, rotary } = this.engine.model.config;
    const first = firstReader(this.engine, layer);
    const asked = [0, 1, 2].flatMap((role) => heads.map((head) => role * nHeads + head));
    const roles = asked.filter((role) => this.isComputed(first + role));
    const alternatives = (rotary === null ? 1 : 2) * roles.length; // where the alternatives' rows begin in the table of heads
    const pick = asked.map((role) => {
      const row = roles.indexOf(role);
      if (row < 0) return alternatives + role;
      return rotary !== null && role >= 2 * nHeads ? roles.length + row : row;
    });
    const { q, k, v } = at(alternative.heads, layer);
    const cached = at(base.heads, layer);
    const readers = roles.map((role) => first + role);
    return {
      ...(await this.mixed(readers, { store, arena })),
      'mask.readers': this.mask(readers, { step: 1, arena }),
      'q.alt': q,
      'k.alt': k,
      'v.alt': v,
      'z.alt': at(alternative.z, layer),
      role: ints(bound, arena, roles),
      head: ints(bound, arena, heads),
      pick: ints(bound, arena, pick),
      positions: span.positions,
      ...span.mask(layer),
      ...span.rotary,
      ...(span.prefix
        ? { k: cached.k, v: cached.v, 'prefix.positions': span.lookup['prefix.positions'] as Tensor }
        : {}),
    };
  }

  /** A query, key or value with no edge kept is as in the alternative, if that is a run of the model. */
  private isComputed(reader: number): boolean {
    return (
      !this.common.bound.alternative.isRun ||
      this.stored.some((sender) => sender !== STEP && this.kept(sender, reader) !== 0)
    );
  }

  /** What a single reader reads, [1, examples, pos, d]. */
  async read({ reader, alt }: { reader: number; alt: Tensor }): Promise<Tensor> {
    return withArena(async (arena) => {
      const store = arena.own(this.store.all());
      const inputs = {
        ...(await this.mixed([reader], { store, arena })),
        store,
        alt,
        'mask.readers': this.mask([reader], { step: 0, arena }),
        positions: this.common.span.positions,
      };
      return (await this.engine.run({ name: 'circuitStream', inputs }))['x'] as Tensor;
    });
  }

  private kept(sender: number, reader: number): number {
    const edge = this.engine.universe.edgeBetween(sender, reader);
    return edge < 0 ? 0 : (this.keep[edge] as number);
  }

  /** What readers read of heads whose writes are normed. */
  private async mixed(readers: readonly number[], of: { store: Tensor; arena: Arena }): Promise<Tensors> {
    if (!this.common.mixes) return {};
    const layers = this.normed.map(({ layer, from, to }) => {
      const senders = this.stored.slice(from, to);
      const kept = readers.flatMap((reader) => senders.map((sender) => this.kept(sender, reader)));
      return { layer, from, to, kept };
    });
    return { mixed: await mixedHeads(this.common, { ...of, readers: readers.length, layers }) };
  }

  /** How much of each row of the store each reader reads: [readers, rows]; of heads that come in mixed, nothing. */
  private mask(readers: readonly number[], { step, arena }: { step: number; arena: Arena }): Tensor {
    const { senders } = this.engine.universe;
    const isMixed = (sender: number): boolean => this.common.mixes && senders[sender]?.kind === 'head';
    const rows = readers.flatMap((reader) =>
      this.stored.map((sender) => (sender === STEP ? step : isMixed(sender) ? 0 : this.kept(sender, reader))),
    );
    return floats(this.common.bound, arena, {
      values: Float32Array.from(rows),
      shape: [readers.length, this.stored.length],
    });
  }

  dispose(): void {
    this.store.dispose();
  }
}

const STEP = -1;

/** Ascending numbers as stretches without gaps. */
function runsOf(numbers: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const n of numbers) {
    const last = runs.at(-1);
    if (last?.at(-1) === n - 1) last.push(n);
    else runs.push([n]);
  }
  return runs;
}

/** Share of a layer's work done, in tokens through the whole model. */
function count({ engine, batch }: BoundRun, span: Span, share: number): void {
  engine.passed('forward', { tokens: batch.examples.length * span.count, layers: share, span });
}

const firstSender = ({ universe: { shape } }: Engine, layer: number): number =>
  1 + layer * (shape.nHeads + (shape.hasMlp ? 1 : 0));
const firstReader = ({ universe: { shape } }: Engine, layer: number): number =>
  layer * (3 * shape.nHeads + (shape.hasMlp ? 1 : 0));
