/** The whole model as one program with something to be learned in it, run on batches: the metric, and its gradient there. */
import { maskName } from '../../model/blocks.js';
import { Arena } from '../../engine/core/arena.js';
import type { PlannedBatch } from '../../engine/core/batches.js';
import type { Engine } from '../../engine/core/engine.js';
import { withSession, type AskOptions, type Session } from '../../engine/questions/session.js';
import { makeSpan, type Span } from '../../engine/core/span.js';
import { refuse } from '../../errors.js';
import { parameterValue } from '../../model/parameters.js';
import type { Program } from '../../program/index.js';
import type { Constant, Kernel, Tensor, Tensors } from '../../runtime/types.js';

export interface WholeModel {
  /** → `final` [1, examples, pos, d] */
  readonly forward: Program;
  /** … and `gradient` at the final stream → `gradient` at what is learned */
  readonly backward: Program;
  /** values of the parameters that are no weights */
  readonly tables: ReadonlyMap<string, { readonly edges: Int32Array }>;
}

export interface WholeRun {
  /** the metric of each example */
  readonly value: Float64Array;
  /** of its mean over the examples; the caller owns it */
  readonly gradient: Tensor;
}

/** The whole model on one batch. */
export interface WholeBatch {
  /** the metric of each example with every edge, and of its corrupt prompt */
  readonly clean: Float64Array;
  readonly corrupt: Float64Array;
  /** @param given what changes from run to run */
  run(given: Tensors): Promise<WholeRun>;
}

interface Given {
  readonly asked: AskOptions;
  readonly model: WholeModel;
  /** what stays the same on a batch; tensors that are made for it belong to the arena */
  inputs(session: Session, arena: Arena): Tensors | Promise<Tensors>;
}

/** Prepares the programs, opens a session on every batch, and gives everything back. Cost: two forward passes. */
export async function withWholeModel<T>(
  engine: Engine,
  batches: readonly PlannedBatch[],
  given: Given,
  work: (batches: readonly WholeBatch[]) => Promise<T>,
): Promise<T> {
  const { model } = given;
  const forward = await prepare(engine, model, model.forward);
  const backward = await prepare(engine, model, model.backward);
  try {
    return await nested(engine, batches, { given, kernels: { forward, backward }, work, open: [] });
  } finally {
    await forward.dispose();
    await backward.dispose();
  }
}

interface Kernels {
  readonly forward: Kernel;
  readonly backward: Kernel;
}

async function nested<T>(
  engine: Engine,
  batches: readonly PlannedBatch[],
  rest: {
    given: Given;
    kernels: Kernels;
    work: (batches: readonly WholeBatch[]) => Promise<T>;
    open: readonly WholeBatch[];
  },
): Promise<T> {
  const [batch, ...others] = batches;
  if (!batch) return rest.work(rest.open);
  return withSession(engine, batch, rest.given.asked, async (session) => {
    const arena = new Arena();
    const span = makeSpan(engine, 0, batch.length);
    try {
      const fixed = { ...(await rest.given.inputs(session, arena)), ...masksOf(engine, span), ...span.rotary };
      const run = runner(session, rest.kernels, { fixed, span });
      const own = { clean: session.clean, corrupt: session.corrupt, run };
      return await nested(engine, others, { ...rest, open: [...rest.open, own] });
    } finally {
      span.dispose();
      arena.dispose();
    }
  });
}

/** The masks of all layers, by the names that whole-model programs give them. */
function masksOf({ model: { config } }: Engine, span: Span): Tensors {
  const layers = Array.from({ length: config.nLayers }, (_, layer) => layer);
  return Object.fromEntries(
    layers.flatMap((layer) => Object.values(span.mask(layer)).map((mask) => [maskName(config, layer), mask])),
  );
}

function runner(
  { bound }: Session,
  { forward, backward }: Kernels,
  { fixed, span }: { fixed: Tensors; span: Span },
): WholeBatch['run'] {
  const { engine, batch, judge } = bound;
  return async (given) => {
    const inputs = { ...fixed, ...given };
    const { final } = await forward.run(readBy(forward, inputs));
    const weights = [1 / batch.examples.length];
    const { value, gradient: arriving } = await judge.gradient(final as Tensor, span, { weights });
    const { gradient } = await backward.run(readBy(backward, { ...inputs, gradient: arriving }));
    for (const tensor of [final as Tensor, arriving]) tensor.dispose();
    const tokens = batch.examples.length * batch.length;
    engine.passed('forward', { tokens: 2 * tokens, span }); // the way back computes the way up again
    engine.passed('backward', { tokens, span });
    return { value, gradient: gradient as Tensor };
  };
}

function readBy({ program }: Kernel, tensors: Tensors): Tensors {
  return Object.fromEntries(
    program.inputs.map(({ attributes: { name } }): [string, Tensor] => [name, tensors[name] as Tensor]),
  );
}

async function prepare(engine: Engine, { tables }: WholeModel, program: Program): Promise<Kernel> {
  const constants: Record<string, Constant> = {};
  for (const { attributes } of program.parameters) {
    const { name } = attributes;
    const [layer, own] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)];
    constants[name] = tables.get(name)?.edges ?? engine.precise(await parameterValue(own, engine.model, Number(layer)));
  }
  return engine.open(program, constants);
}

/**
 * What learning holds at most, in bytes: the weights of both programs, every batch's cached runs, and of the widest batch what the
 * way back reads again: of each reader its input before and after its norm, q, k and v, patterns, the MLP's widths.
 */
export function wholeModelBytes(
  engine: Engine,
  batches: readonly { length: number; examples: { length: number } }[],
): number {
  const { dModel, dHead, nHeads, nLayers, dMlp, gatedMlp } = engine.model.config;
  const tokens = batches.map(({ length, examples }) => length * examples.length);
  const cached = 2 * nLayers * (3 * dModel + 4 * nHeads * dHead);
  const senders = engine.universe.senders.length;
  const perLayer = (length: number): number =>
    3 * nHeads * (6 * dModel + 4 * dHead) + 4 * nHeads * length + (gatedMlp ? 9 : 6) * dMlp + 2 * senders * dModel;
  const widest = Math.max(0, ...batches.map(({ length }, i) => (tokens[i] as number) * nLayers * perLayer(length)));
  const layer = (4 * nHeads * dHead + (gatedMlp ? 3 : 2) * dMlp) * dModel;
  return 4 * (tokens.reduce((sum, one) => sum + one, 0) * cached + widest + 2 * nLayers * layer);
}

/** @throws TheveninError discovery/memory */
export function checkWholeModelMemory(
  engine: Engine,
  batches: readonly PlannedBatch[],
  { what, instead }: { readonly what: string; readonly instead: string },
): void {
  const [needed, budget] = [wholeModelBytes(engine, batches), engine.options.memoryBytes];
  const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
  if (needed > budget)
    refuse(
      'discovery/memory',
      `learning ${what} holds the whole model and all pairs at once, about ${mebibytes(needed)}, above the ceiling of ${mebibytes(budget)}; use fewer pairs (--examples), raise --memory, or choose ${instead}`,
    );
}
